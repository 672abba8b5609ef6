/** `npm run build`: compiles into dist/. */
const { build, ensureModules, prepare } = require('./prepare.cjs');

prepare(ensureModules, build);
