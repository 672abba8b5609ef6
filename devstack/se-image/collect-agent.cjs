/**
 * `collect-agent.cjs <tree> <target>`: copies what the agent needs out of a built tree, and nothing else: the modules of
 * `slipstream agent` and the packages they name, with what those depend on.
 */
const fs = require('node:fs');
const { builtinModules } = require('node:module');
const path = require('node:path');

const [tree, target] = process.argv.slice(2).map((folder) => path.resolve(folder));
const dist = path.join(tree, 'dist');
/** The command, and what it loads when it runs. */
const ENTRIES = ['driver/cli.js', ...below('driver/agent'), ...below('driver/agentBootstrap')];

/**
 * What a module loads as it is loaded stands at the beginning of a line; other commands load theirs later, and what is the
 * agent's own does so too when it needs something once.
 */
const AT_ONCE = /^(?!\s).*?\brequire\(["']([^"']+)["']\)/gm;
const EVER = /\brequire\(["']([^"']+)["']\)/g;
const AGENT = new RegExp(`^${path.join('driver', 'agent')}`);

const files = new Set();
const packages = new Set();
for (const entry of ENTRIES) follow(path.join(dist, entry));
for (const name of [...packages]) withDependencies(name, tree);
for (const file of [...files].sort()) copy(file);
copy(path.join(tree, 'package.json'));
for (const folder of [...packages].filter((name) => path.isAbsolute(name)).sort()) copyPackage(folder);
process.stderr.write(
  `${files.size} modules, ${[...packages].filter((name) => path.isAbsolute(name)).length} packages\n`,
);

function below(folder) {
  return fs
    .readdirSync(path.join(dist, folder), { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .map((name) => path.join(folder, name));
}

function follow(file) {
  if (files.has(file)) return;
  files.add(file);
  if (!file.endsWith('.js')) return;
  const text = fs.readFileSync(file, 'utf8');
  for (const [, name] of text.matchAll(AGENT.test(path.relative(dist, file)) ? EVER : AT_ONCE)) {
    if (name.startsWith('.')) follow(require.resolve(path.resolve(path.dirname(file), name)));
    else if (!name.startsWith('node:') && !builtinModules.includes(name)) packages.add(packageOf(name));
  }
}

function packageOf(name) {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

/** As Node looks for it: from the folder of who asks upwards. */
function withDependencies(name, from) {
  const folder = findPackage(name, from);
  packages.delete(name);
  if (folder === undefined || packages.has(folder)) return;
  packages.add(folder);
  const { dependencies = {} } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(dependencies)) withDependencies(dependency, folder);
}

function findPackage(name, from) {
  for (let folder = from; folder.startsWith(tree); folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'node_modules', name);
    if (fs.existsSync(path.join(candidate, 'package.json'))) return candidate;
  }
  throw new Error(`${name} is not installed`);
}

function copy(file) {
  const there = path.join(target, path.relative(tree, file));
  fs.mkdirSync(path.dirname(there), { recursive: true });
  fs.copyFileSync(file, there);
  fs.chmodSync(there, 0o644);
}

/** Without what only developers read. */
function copyPackage(folder) {
  const skipped =
    /^(?:tests?|docs|examples?|benchmarks?|\.github)\/|(?:^|\/)node_modules\/|\.(?:d\.[cm]?ts|map|md|ts)$/;
  for (const name of fs.readdirSync(folder, { recursive: true })) {
    const file = path.join(folder, name);
    if (!skipped.test(name) && fs.statSync(file).isFile()) copy(file);
  }
}
