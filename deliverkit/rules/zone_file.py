"""Rules of area `zone`: what of a file cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from deliverkit.facts.zone import ZoneFile
from deliverkit.model import Exhibit, Finding, Fix, Mark, NotApplicable, Severity, SourceProblem
from deliverkit.rules.declare import rule


@rule(Severity.ERROR, "RFC 1035 §5.1")
def zone_syntax(held: ZoneFile) -> Iterator[Finding]:
    """A line of the file cannot be read.

    Name servers load a zone whole or not at all: one such line, and the zone stays as it was before, or is not served
    after the next restart.

    ## Fix
    Mend the line; its column says where reading ended.

    ## Bad
        @      SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @      NS    ns1.example.net.
        @      MX    ten mail.example.net.

    ## Good
        @      SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @      NS    ns1.example.net.
        @      MX    10 mail.example.net.
    """
    for unread in held.unread:
        problem = unread.problem
        if problem.kind != "include":
            yield Finding(
                message=problem.message,
                subject=held.path,
                evidence=_shown(problem),
                place=problem.place,
            )


@rule(Severity.ERROR, "RFC 1035 §5.1")
def zone_include_missing(held: ZoneFile) -> Iterator[Finding]:
    """A file that the zone includes cannot be read.

    The records in it are not published, and name servers refuse the whole zone for it. The path is looked for beside
    the file that includes it, then below the working directory.

    ## Fix
    Put the file where `$INCLUDE` says, or mend the path.

    ## Bad
        @      SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @      NS    ns1.example.net.
        $INCLUDE keys/no-such-file.inc

    ## Good
        @      SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @      NS    ns1.example.net.
    """
    if held.kind != "zone":
        raise NotApplicable("no zone file")
    for unread in held.unread:
        problem = unread.problem
        if problem.kind == "include":
            yield Finding(
                message=problem.message,
                subject=held.path,
                evidence=_shown(problem),
                place=problem.place,
            )


@rule(Severity.NOTICE, "RFC 1035 §5.2")
def zone_no_soa(held: ZoneFile) -> Iterator[Finding]:
    """A zone file has no SOA record.

    A name server does not load such a file as a zone. Where it is a part that another file includes, or a list of
    records for a tool, all is well.

    ## Fix
    Begin the zone with an SOA record, or name the file that includes this one.

    ## Bad
        @      NS    ns1.example.net.
        @      MX    10 mail.example.net.

    ## Good
        @      SOA   ns1.example.net. hostmaster 1 3600 900 604800 300
        @      NS    ns1.example.net.
        @      MX    10 mail.example.net.
    """
    if held.kind != "zone" or held.first is None or held.partial:
        raise NotApplicable("no zone file, or not a whole one")
    if not held.apexes:
        yield Finding(
            message="the file has no SOA record: a name server does not load it as a zone",
            subject=held.path,
            fix=Fix(text="Begin the zone with an SOA record, or name the file that includes this one."),
            place=held.first.place,
        )


def _shown(problem: SourceProblem) -> tuple[Exhibit, ...]:
    if not problem.text:
        return ()
    title = f"{problem.place.path}:{problem.place.line}"
    start = problem.place.column - 1
    marks = () if "\n" in problem.text or start >= len(problem.text) else (Mark(start, start + 1, "here"),)
    return (Exhibit(text=problem.text, title=title, marks=marks),)
