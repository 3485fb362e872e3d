# The real LangFlux from npm, as flowiseai/flowise; .ci/images builds it on an image that has the modules. node is
# this machine's, for which their compiled parts are made.
ARG MODULES
FROM ${MODULES}
RUN useradd --create-home --uid 10001 node
COPY node /usr/local/bin/node
USER node
WORKDIR /home/node
RUN mkdir .flowise
# It keeps these among its modules otherwise, where only root may write.
ENV NODE_ENV=production LOG_PATH=/home/node/.flowise/logs APIKEY_PATH=/home/node/.flowise SECRETKEY_PATH=/home/node/.flowise
EXPOSE 3000
CMD ["node", "/opt/flowise/node_modules/flowise/bin/run", "start"]
