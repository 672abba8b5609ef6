/**
 * Builds the program of tests/openstack/clients/gophercloud, which drives the API by the library under Terraform's OpenStack
 * provider. Done once for each state of its sources, into ~/.cache.
 */
const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { findGo } = require('./build-terraform.cjs');

const SOURCE = path.join(__dirname, '..', 'tests', 'openstack', 'clients', 'gophercloud');

/**
 * Gives the file of the program, after building it if it is not there.
 * @throws Error when there is no Go, or when the build fails
 */
function ensureGophercloud() {
  const hash = createHash('sha256');
  for (const file of fs.readdirSync(SOURCE).sort()) hash.update(fs.readFileSync(path.join(SOURCE, file)));
  const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
  const program = path.join(cache, 'slipstream', `gophercloud-${hash.digest('hex').slice(0, 16)}`);
  if (!fs.existsSync(program)) build(program);
  return program;
}

/** Into another name first: who finds the program finds it whole. */
function build(program) {
  process.stderr.write('slipstream: building a program with gophercloud\n');
  fs.mkdirSync(path.dirname(program), { recursive: true });
  const draft = `${program}.${process.pid}`;
  const env = { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', CGO_ENABLED: '0' };
  const { status, error } = spawnSync(findGo(), ['build', '-trimpath', '-o', draft, '.'], {
    cwd: SOURCE,
    env,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error(`gophercloud cannot be built with: ${error?.message ?? `go ended with ${status}`}`);
  fs.renameSync(draft, program);
}

module.exports = { ensureGophercloud };

if (require.main === module) process.stdout.write(`${ensureGophercloud()}\n`);
