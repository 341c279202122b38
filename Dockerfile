# The serving image: an interpreter, what it needs, and softlens, on an empty base.
# To pin the base, append the digest that `docker buildx imagetools inspect python:3.13-slim-trixie`
# prints: python:3.13-slim-trixie@sha256:... (open here: CI has no registry to read it from).
FROM python:3.13-slim-trixie AS dependencies

# A folder of its own rather than site-packages: pip stays behind, and the path is the same on every base.
COPY requirements/serve.lock /tmp/serve.lock
RUN python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
      --require-hashes --no-deps --only-binary :all: --no-compile --target /opt/softlens/lib --requirement /tmp/serve.lock


# Ours: both packages, and the model that is served when none is mounted.
FROM dependencies AS application
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ARG SOURCE_DATE_EPOCH=1767225600
WORKDIR /rootfs/opt/softlens/lib

COPY model model
RUN PYTHONPATH=/opt/softlens/lib OPENBLAS_NUM_THREADS=1 \
    python -B -m model.training.digits /rootfs/opt/softlens/digits.npz

# Readable by any user whatever the umask of the checkout was; fixed times, so that equal sources give equal layers.
COPY app app
COPY LICENSE /rootfs/opt/softlens/LICENSE
RUN python -m compileall -q --invalidation-mode unchecked-hash -s /rootfs -p / /rootfs; \
    chmod -R u=rwX,go=rX /rootfs; \
    find /rootfs -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +


# Everything else, assembled under /rootfs at the paths it has here.
FROM dependencies AS system
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ARG SOURCE_DATE_EPOCH=1767225600
# No version: binutils only strips, and nothing of it is kept.
# hadolint ignore=DL3008
RUN apt-get update; apt-get install -y --no-install-recommends binutils

# What the dependencies carry for compilers, type checkers and their own tests.
WORKDIR /rootfs/opt/softlens/lib
RUN cp -a /opt/softlens/lib/. .; \
    rm -rf bin numpy/f2py numpy/_core/include numpy/_core/lib numpy/random/lib numpy/_pyinstaller; \
    find . -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -r {} +; \
    find . -type f \( -name '*.a' -o -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.py[ix]' -o -name '*.pxd' \) -delete; \
    find . -type f \( -name '*_tests.*.so' -o -name 'test_*.py' -o -name conftest.py -o -name _testbase.py \) -delete

# uvloop goes from 16 to 2 MB. Stripping has broken libraries before: the last RUN of this stage would notice.
RUN find . -type f -name '*.so*' -exec strip --strip-unneeded {} +

# Links are followed: the interpreter is /usr/local/bin/python3.13 upstream and /usr/bin/python3.13 in Debian.
RUN interpreter=$(python -c 'import os, sys; print(os.path.realpath(sys.executable))'); \
    library=$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))'); \
    cp -a --parents "$interpreter" "$library" /rootfs; \
    mkdir -p /rootfs/usr/local/bin; \
    ln -s "$interpreter" /rootfs/usr/local/bin/python

# Packaging, tests, windows, terminals and databases.
# hadolint ignore=DL3003,SC2164
RUN cd "/rootfs$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"; \
    rm -rf site-packages dist-packages sitecustomize.py config-* ensurepip venv distutils _distutils* lib2to3 \
      test idlelib tkinter turtledemo turtle.py pydoc* xmlrpc _pyrepl curses dbm sqlite3; \
    find lib-dynload -regextype egrep -regex '.*/(_test|_ctypes_test|_?xx|_tkinter|_curses|readline|_g?dbm|_sqlite3).*' -delete; \
    find . -depth -name __pycache__ -exec rm -r {} +; \
    find . \( -xtype l -o -name '*.a' \) -delete

# The shared libraries that all of these ask for, under the names by which they ask, and the loader's index of them.
RUN find /rootfs -type f \( -name '*.so*' -o -path '*/bin/python*' \) -exec ldd {} + >/tmp/ldd; \
    if grep 'not found' /tmp/ldd; then exit 1; fi; \
    for link in /lib*; do mkdir -p "/rootfs$(readlink -f "$link")"; cp -P "$link" /rootfs; done; \
    grep -oE '/[^ :]+\.so[^ :]*' /tmp/ldd | grep -v '^/rootfs' | sort -u | xargs cp -L --parents -t /rootfs; \
    mkdir /rootfs/etc; \
    cp -r /etc/ld.so.conf /etc/ld.so.conf.d /rootfs/etc; \
    ldconfig -X -r /rootfs

# No libnss_*: the name services of files and dns are inside glibc since 2.34.
RUN printf '%s\n' root:x:0:0::/:/sbin/nologin softlens:x:65532:65532::/:/sbin/nologin >/rootfs/etc/passwd; \
    printf '%s\n' root:x:0: softlens:x:65532: >/rootfs/etc/group; \
    printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >/rootfs/etc/nsswitch.conf

# A container that cannot write its bytecode would lose 0.6 s at each start.
RUN python -m compileall -q --invalidation-mode unchecked-hash -s /rootfs -p / /rootfs; \
    chmod -R u=rwX,go=rX /rootfs; \
    install -d -m 1777 /rootfs/tmp; \
    find /rootfs -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

# Pruned and stripped, it still works: each package with a compiled part, the one that needs most of the
# standard library, and linear algebra.
RUN PYTHONPATH=/opt/softlens/lib chroot /rootfs /usr/local/bin/python -B -c \
    'import fastapi, httptools, numpy as np, orjson, prometheus_client, pydantic_settings, simdjson, ssl, uvicorn, uvloop; a = np.random.default_rng(0).random((300, 300)); assert np.allclose(np.linalg.inv(a) @ a, np.eye(300))'


FROM scratch
LABEL org.opencontainers.image.title="softlens" \
      org.opencontainers.image.description="A softmax classifier you can see through: probabilities and exact gradients over HTTP." \
      org.opencontainers.image.licenses="MIT"

# Two layers, so that a change of ours moves kilobytes.
COPY --from=system /rootfs /
COPY --from=application /rootfs /

# One BLAS thread: batches are small, and every thread holds buffers of its own.
# Safe path: a folder mounted at /app or /model must not shadow the packages of these names.
# /models is not in the image: a file or a folder may be mounted there, else the shipped model is served.
ENV OPENBLAS_NUM_THREADS=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/opt/softlens/lib \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    SOFTLENS_HOST=0.0.0.0 \
    SOFTLENS_PORT=8000 \
    SOFTLENS_SHIPPED_MODEL=/opt/softlens/digits.npz
EXPOSE 8000
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["/usr/local/bin/python", "-m", "app.server.healthcheck"]
ENTRYPOINT ["/usr/local/bin/python", "-m", "app.server"]
