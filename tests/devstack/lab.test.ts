import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPT = join(__dirname, '../../devstack/lab/devstack.sh');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipstream-setup-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs `setup-devstack.sh --devstack` as root on a host where git, chown and su only write down what they were asked. */
function setUp({ branch = 'main' } = {}): { status: number; said: string; calls: string[] } {
  const stubs = `
    set -euo pipefail
    ROOT=/src/slipstream
    say() { echo "$*"; }
    fail() { echo "failed: $*"; exit 1; }
    id() { echo 0; }
    chown() { echo "chown $*" >>${folder}/calls; }
    su() { echo "su $*" >>${folder}/calls; }
    git() {
      echo "git $*" >>${folder}/calls
      case "$*" in
        clone*) mkdir -p ${folder}/devstack/.git ;;
        *symbolic-ref*) [ -n "${branch}" ] && echo "${branch}" ;;
        *--get-all*) return 1 ;;
      esac
    }
    . ${SCRIPT}
    run_devstack ${folder}/devstack`;
  const { status, stdout } = spawnSync('bash', ['-c', stubs], { encoding: 'utf8' });
  const calls = existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') : [];
  return { status: status ?? -1, said: stdout, calls };
}

it('clones DevStack, enables the branch that is checked out here as its plugin, and runs it as its own user', () => {
  const { status, calls } = setUp({ branch: 'topic' });

  expect(status).toBe(0);
  expect(calls[0]).toMatch(/^git clone --branch master https:\/\/opendev\.org\/openstack\/devstack /);
  expect(calls).toContain('git config --system --add safe.directory /src/slipstream');
  expect(calls.at(-1)).toContain('su stack -s /bin/bash -c cd');
  const conf = readFileSync(join(folder, 'devstack/local.conf'), 'utf8');
  expect(conf).toMatch(/^enable_plugin slipstream \/src\/slipstream topic$/m);
  for (const name of ['ADMIN', 'DATABASE', 'RABBIT', 'SERVICE'])
    expect(conf).toMatch(new RegExp(`^${name}_PASSWORD=\\w{24}$`, 'm'));
});

it('leaves a local.conf that is there, and clones once', () => {
  setUp();
  const before = readFileSync(join(folder, 'devstack/local.conf'), 'utf8');
  rmSync(join(folder, 'calls'));

  expect(setUp().calls.filter((call) => call.startsWith('git clone'))).toEqual([]);
  expect(readFileSync(join(folder, 'devstack/local.conf'), 'utf8')).toBe(before);
});

it('says that a branch must be checked out', () => {
  expect(setUp({ branch: '' })).toMatchObject({
    status: 1,
    said: expect.stringContaining('check one out in /src/slipstream'),
  });
});
