# The program with its haproxy. The embedded site uses addresses of the loopback interface:
#   docker build -t slipstream . && docker run --rm --network host -v slipstream:/var/lib/slipstream slipstream
FROM node:20-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends haproxy iputils-ping \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o node -g node /var/lib/slipstream
COPY --from=build /src/package.json /opt/slipstream/
COPY --from=build /src/node_modules /opt/slipstream/node_modules
COPY --from=build /src/dist /opt/slipstream/dist
ENV NODE_ENV=production OS_EMBEDDED__STATE_DIR=/var/lib/slipstream
USER node
WORKDIR /var/lib/slipstream
ENTRYPOINT ["node", "/opt/slipstream/dist/driver/cli.js"]
CMD ["all-in-one"]
