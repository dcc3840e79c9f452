# The image that Kratix, and every runner of images, runs the stages from; `make image` builds it.
# The packages are laid in build/image beforehand, for the Python of the base, so that no step here
# needs a network, pip or a compiler. The base needs Python 3.11 or newer and a shell.
ARG BASE_IMAGE=python:3.12-slim

FROM ${BASE_IMAGE} AS build
COPY build/image/site-packages /packages
# Bytecode lies in one folder of its own, also that of the part of the standard library that stages
# load: bases often come without, and compiling it at every start takes as long as all the rest.
ENV PYTHONPYCACHEPREFIX=/opt/troth/bytecode
RUN umask 022 \
 && PYTHONDONTWRITEBYTECODE=1 python3 -m venv --without-pip /opt/troth \
 && rm /opt/troth/bin/[aA]ctivate* \
 && cp -R /packages/. "$(echo /opt/troth/lib/python3*/site-packages)" \
 && PYTHONDONTWRITEBYTECODE=1 /opt/troth/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/troth/lib \
 && /opt/troth/bin/python -c 'import troth_pipelines.__main__, troth.sdk as sdk; [sdk.find_stage(p.name) for p in sdk.stage_entry_points()]'
# The same packages make the same layer, whatever the umask and the clock of the builder.
ARG SOURCE_DATE_EPOCH=315532800
RUN chmod -R u=rwX,go=rX /opt/troth && find /opt/troth -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM ${BASE_IMAGE} AS stage
ARG VERSION
LABEL org.opencontainers.image.title="troth-stage" \
      org.opencontainers.image.description="The stages of Troth: python -m troth_pipelines STAGE runs one on /kratix." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/troth /opt/troth
# PYTHONSAFEPATH: `-m` would import from the working directory first.
ENV PATH=/opt/troth/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPYCACHEPREFIX=/opt/troth/bytecode \
    PYTHONSAFEPATH=1
# A number: Kubernetes cannot tell whether a name is root's.
USER 65532:65532
ENTRYPOINT ["python", "-m", "troth_pipelines"]
