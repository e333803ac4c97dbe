"""What an image holds, as SPDX on standard output. Runs inside of it, by its own interpreter, from a pipe."""

import datetime
import importlib.metadata
import json
import subprocess
import uuid


def packages():
    """Name of the ecosystem, package, version."""
    for made in sorted(importlib.metadata.distributions(), key=lambda one: one.name.lower()):
        yield "pypi", made.name.lower(), made.version
    command = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}\n"]
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        yield "deb/debian", *line.split(" ")


def entry(number, kind, name, version):
    """One package in SPDX's words."""
    locator = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl"}
    return {
        "SPDXID": f"SPDXRef-Package-{number}",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "externalRefs": [{**locator, "referenceLocator": f"pkg:{kind}/{name}@{version}"}],
    }


found = [entry(number, *one) for number, one in enumerate(packages())]
root = "SPDXRef-DOCUMENT"
made = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
document = {
    "spdxVersion": "SPDX-2.3",
    "dataLicense": "CC0-1.0",
    "SPDXID": root,
    "name": "autonomous-loop",
    "documentNamespace": f"https://spdx.org/spdxdocs/autonomous-loop-{uuid.uuid4()}",
    "creationInfo": {"created": made, "creators": ["Tool: scripts/sbom.py"]},
    "packages": found,
    "relationships": [
        {"spdxElementId": root, "relationshipType": "DESCRIBES", "relatedSpdxElement": one["SPDXID"]}
        for one in found
    ],
}
print(json.dumps(document, indent=1))
