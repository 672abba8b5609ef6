/** `npm run bench:<name>`: makes everything ready and runs tests/bench/<name>.ts, which prints figures and asserts nothing. */
const path = require('node:path');
const { ENGINE_PROGRAMS, ROOT, ensureBuild, ensureModules, ensurePrograms, prepare } = require('./prepare.cjs');

const [name, ...rest] = process.argv.slice(2);
/** What a bench runs on besides, by its name. */
const SERVERS = { lists: ['mariadb'], fleet: ['mariadb'], control: ['mariadb', 'rabbitmq'] };

prepare(ensureModules, () => ensurePrograms([...ENGINE_PROGRAMS, ...(SERVERS[name] ?? [])]), ensureBuild);

process.argv = [process.argv[0], __filename, path.join(ROOT, 'tests', 'bench', `${name}.ts`), ...rest];
require('./run-ts.cjs');
