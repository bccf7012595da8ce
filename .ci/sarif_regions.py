"""Holds a SARIF file against the files it speaks of: sarif_regions.py SARIF ROOT [DIR_OF_LINE_HASH].

The text under every region, cut by an independent reading of lines and UTF-16 columns, equals the region's snippet, and
with the oracle `line_hash.py` at hand every primaryLocationLineHash equals the oracle's. Files may change after the
run, so call it right after. Prints counts; exit code 1 when anything differs.
"""
import functools
import json
import pathlib
import re
import sys
import urllib.parse

log, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
line_hashes = None
if len(sys.argv) > 3:
    sys.path.insert(0, sys.argv[3])
    from line_hash import line_hashes


@functools.lru_cache(maxsize=64)
def text(uri):
    raw = (root / urllib.parse.unquote(uri)).read_bytes()
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return raw.decode(encoding)


@functools.lru_cache(maxsize=64)
def lines(uri):
    return [line.encode("utf-16-le") for line in re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z|\Z", text(uri))]


@functools.lru_cache(maxsize=64)
def hashes(uri):
    return line_hashes(text(uri))


def cut(uri, region):
    first, last = region["startLine"] - 1, region["endLine"] - 1
    start, end = (region["startColumn"] - 1) * 2, (region["endColumn"] - 1) * 2
    all_lines = lines(uri)
    assert end <= len(all_lines[last]), "end column past the line"
    if first == last:
        return all_lines[first][start:end].decode("utf-16-le")
    middle = b"".join(all_lines[first + 1 : last])
    return (all_lines[first][start:] + middle + all_lines[last][:end]).decode("utf-16-le")


def locations(result):
    yield from result["locations"]
    yield from result.get("relatedLocations", [])
    for flow in result.get("codeFlows", []):
        for step in flow["threadFlows"][0]["locations"]:
            yield step["location"]


def unreadable(uri):
    """A file that the run could not read either: it has a place and no text."""
    try:
        return not text(uri)
    except (UnicodeDecodeError, FileNotFoundError, PermissionError, IsADirectoryError):
        return True


def is_origin(region):
    return (region["startLine"], region["startColumn"], region["endLine"], region["endColumn"]) == (1, 1, 1, 1)


run = json.loads(log.read_text(encoding="utf-8"))["runs"][0]
checked = hashed = redacted = unread = 0
wrong = []
for result in run["results"]:
    for location in locations(result):
        physical = location["physicalLocation"]
        uri, region = physical["artifactLocation"]["uri"], physical["region"]
        if is_origin(region) and unreadable(uri):
            unread += 1
            continue
        try:
            found = cut(uri, region)
        except Exception as error:  # noqa: BLE001: any failure is a wrong region
            wrong.append(f"{uri} {region}: {error!r}")
            continue
        shown = region.get("snippet", {}).get("text")
        redacted += shown == "[redacted]"
        checked += 1
        if shown not in (None, found, "[redacted]"):
            wrong.append(f"{uri} {region}: the file says {found!r}")
    if line_hashes:
        physical = result["locations"][0]["physicalLocation"]
        uri, line = physical["artifactLocation"]["uri"], physical["region"]["startLine"]
        if unreadable(uri):
            continue
        hashed += 1
        if result["partialFingerprints"].get("primaryLocationLineHash") != hashes(uri)[line]:
            wrong.append(f"{uri}:{line}: line hash should be {hashes(uri)[line]}")
print("\n".join(wrong[:20]))
print(f"{log.name}: {checked} regions ({redacted} redacted, {unread} of unreadable files), {hashed} line hashes, {len(wrong)} wrong")
sys.exit(bool(wrong))
