# The program, with what its engine needs on this host. One image for every process; the process is the command:
#   docker build -t slipstream .
#   docker run --rm --network host -v slipstream:/var/lib/slipstream slipstream                 (all-in-one, to try it)
#   docker run -d --init --network host -v /etc/slipstream:/etc/slipstream:ro slipstream worker (one process of a site)
# This file was never built by Docker: `node devstack/prove-image.cjs`, as root, takes its steps in a debootstrap root.
FROM node:20-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends haproxy iputils-ping libnginx-mod-stream nginx-light \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o node -g node /var/lib/slipstream /run/octavia
COPY --from=build /src/package.json /opt/slipstream/
COPY --from=build /src/node_modules /opt/slipstream/node_modules
COPY --from=build /src/dist /opt/slipstream/dist
ENV NODE_ENV=production OS_EMBEDDED__STATE_DIR=/var/lib/slipstream
USER node
WORKDIR /var/lib/slipstream
EXPOSE 9876 5555
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/opt/slipstream/dist/driver/cli.js"]
CMD ["all-in-one"]
