/**
 * Builds the OpenStack provider of Terraform from its Go module, unmodified, for the tests that drive the API by it. Done
 * once for each state of devstack/terraform, into ~/.cache, because it costs minutes; Terraform itself must be installed.
 */
const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const SOURCE = path.join(__dirname, 'terraform');
const MODULE = 'github.com/terraform-providers/terraform-provider-openstack';
const ADDRESS = 'registry.terraform.io/terraform-provider-openstack/openstack';

/**
 * Gives the folder that holds the provider in the form of a `filesystem_mirror`, after building it if it is not there.
 * @throws Error when there is no Go, or when the build fails
 */
function ensureProvider() {
  const mod = fs.readFileSync(path.join(SOURCE, 'go.mod'));
  const sum = fs.readFileSync(path.join(SOURCE, 'go.sum'));
  const state = createHash('sha256').update(mod).update(sum).digest('hex').slice(0, 16);
  const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
  const mirror = path.join(cache, 'slipstream', `terraform-${state}`);
  const binary = path.join(mirror, ADDRESS, version(mod), platform(), `terraform-provider-openstack_v${version(mod)}`);
  if (!fs.existsSync(binary)) build(binary);
  return mirror;
}

/** Into another name first: who finds the binary finds it whole. */
function build(binary) {
  process.stderr.write(`slipstream: building ${path.basename(binary)} from its Go module, which takes minutes\n`);
  fs.mkdirSync(path.dirname(binary), { recursive: true });
  const draft = `${binary}.${process.pid}`;
  const env = { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', CGO_ENABLED: '0' };
  const { status, error } = spawnSync(findGo(), ['build', '-trimpath', '-o', draft, MODULE], {
    cwd: SOURCE,
    env,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error(`the provider cannot be built: ${error?.message ?? `go ended with ${status}`}`);
  fs.renameSync(draft, binary);
}

function findGo() {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/local/go/bin'];
  const go = folders.map((folder) => path.join(folder, 'go')).find((file) => fs.existsSync(file));
  if (go === undefined) throw new Error('there is no go: install golang-go');
  return go;
}

function version(mod) {
  return /terraform-provider-openstack v(\S+)/.exec(mod.toString())[1];
}

function platform() {
  const processor = { x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch;
  return `${process.platform}_${processor}`;
}

module.exports = { ensureProvider, findGo };

if (require.main === module) process.stdout.write(`${ensureProvider()}\n`);
