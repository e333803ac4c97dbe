# The container action: the loop is root in it, the hands are another user (docs/architecture.md, "Root and the sandbox").
# A repository's own image is FROM this one: examples/workflows/own-image/.
ARG BASE=python:3.13-slim-trixie
FROM ${BASE}

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null

# Versions follow the base image's distribution (its Node is the one with long-term support): pinning each would
# only age.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      build-essential ca-certificates chromium-headless-shell curl fonts-dejavu-core git jq nodejs npm patch procps \
      unzip xz-utils \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/autonomous-loop

# What the hands run Python with where a project brings no environment of its own; not the loop's. uv is there for
# projects that are set up with it.
COPY requirements-hands.lock ./
RUN python -m venv tools \
 && tools/bin/python -m pip install --require-hashes -r requirements-hands.lock \
 && ln -s /opt/autonomous-loop/tools/bin/uv /opt/autonomous-loop/tools/bin/uvx /usr/local/bin/

# With the clouds' libraries (37 MB, imported only where they are used): a user cannot add them at run time. Without
# what the embedded GitHub needs, and without Playwright: the browser is the hands' and runs by their tools.
COPY requirements-image.lock pyproject.toml README.md LICENSE ./
RUN python -m venv loop \
 && loop/bin/python -m pip install --require-hashes -r requirements-image.lock
# The product alone: not the embedded GitHub, not the scripted model, not the demo's sample project.
COPY src/autonomous_loop ./src/autonomous_loop
COPY action.yml ./
COPY .github/workflows/autonomous-loop.yml .github/workflows/
# Bytecode is compiled now: importing the SDK uncompiled takes a second more in every job.
RUN loop/bin/python -m pip install --no-deps --no-build-isolation . \
 && loop/bin/python -m compileall -q -j 0 loop/lib \
 && rm -rf src

# A docker action's entrypoints take no arguments: one small program each.
COPY image/session image/finish ./

# One user of the hands is known by name, for images that are made from this one. It owns nothing, not even a home:
# a session takes a free number from 58000 to 58999 and makes it a home of its own.
RUN groupadd --gid 58000 hands \
 && useradd --uid 58000 --gid 58000 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hands

WORKDIR /
# Exec form, straight to Python: signals reach it. -I: nothing of the working folder is ever imported.
ENTRYPOINT ["/opt/autonomous-loop/loop/bin/python", "-I", "-m", "autonomous_loop"]
CMD ["session"]
