/** `npm start`: makes everything ready and becomes `slipstream all-in-one`, in this very process: signals and exit code are its own. */
const path = require('node:path');
const { ENGINE_PROGRAMS, ROOT, ensureBuild, ensureModules, ensurePrograms, prepare } = require('./prepare.cjs');

prepare(ensureModules, () => ensurePrograms(ENGINE_PROGRAMS), ensureBuild);

const cli = path.join(ROOT, 'dist', 'driver', 'cli.js');
process.argv = [process.argv[0], cli, 'all-in-one', ...process.argv.slice(2)];
require(cli);
