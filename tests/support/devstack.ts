import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const STACK = join(ROOT, 'tests/devstack/stack.sh');

/** Programs of the system that the plugin and its stubs may use: what else stands on PATH must not matter. */
const TOOLS = [
  ...[
    'awk',
    'bash',
    'cat',
    'chmod',
    'cp',
    'curl',
    'dirname',
    'env',
    'grep',
    'head',
    'id',
    'install',
    'ls',
    'mkdir',
    'mktemp',
  ],
  ...['mv', 'rm', 'sed', 'sh', 'sha256sum', 'tar', 'touch', 'tr', 'uname', 'xz'],
];

export interface DevStackRun {
  readonly status: number;
  /** What the plugin said to the user. */
  readonly said: string;
  /** The trace of bash and what was said on standard error. */
  readonly trace: string;
}

/** A host for DevStack below the temporary directory, with a PATH of its own and a Node that only writes down its calls. */
export interface DevStackHost {
  readonly folder: string;
  /** Sources the plugin for one run of stack.sh, unstack.sh or clean.sh. */
  run(phases: readonly string[], env?: Readonly<Record<string, string>>): DevStackRun;
  /** Calls of DevStack's functions and of Node since the last look. */
  takeCalls(): string[];
  path(...parts: string[]): string;
  /** @param version undefined for none */
  haveNode(version: string | undefined, options?: { readonly withNpm?: boolean }): void;
  remove(): void;
}

export function createDevStackHost(): DevStackHost {
  const folder = mkdtempSync(join(tmpdir(), 'slipstream-devstack-'));
  const path = (...parts: string[]): string => join(folder, ...parts);
  mkdirSync(path('bin'));
  for (const tool of TOOLS) symlinkSync(findTool(tool), path('bin', tool));
  const host: DevStackHost = {
    folder,
    path,
    run: (phases, env = {}) => runStack(folder, phases, env),
    takeCalls() {
      const text = existsSync(path('calls')) ? readFileSync(path('calls'), 'utf8') : '';
      rmSync(path('calls'), { force: true });
      return text.split('\n').filter((line) => line !== '');
    },
    haveNode(version, { withNpm = true } = {}) {
      rmSync(path('bin/node'), { force: true });
      rmSync(path('bin/npm'), { force: true });
      if (version === undefined) return;
      writeProgram(path('bin/node'), recordingNode(version));
      if (withNpm) writeProgram(path('bin/npm'), '#!/bin/sh\n');
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  host.haveNode('20.1.0');
  return host;
}

function runStack(folder: string, phases: readonly string[], env: Readonly<Record<string, string>>): DevStackRun {
  const trace = join(folder, 'trace');
  rmSync(trace, { force: true });
  const { status, stdout, stderr } = spawnSync('bash', [STACK, join(ROOT, 'devstack'), ...phases], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: join(folder, 'bin'), SANDBOX: folder, HOME: folder, ...env },
  });
  const traced = existsSync(trace) ? readFileSync(trace, 'utf8') : '';
  return { status: status ?? -1, said: stdout, trace: stderr + traced };
}

/** A Node that writes its calls down and answers what the plugin reads. */
export function recordingNode(version: string): string {
  return `#!/bin/sh
[ "$1" = --version ] && { echo v${version}; exit; }
echo "node $*" >>"$SANDBOX/calls"
[ "$2" = image ] && echo "as $OS_CLOUD$OS_USERNAME of $OS_PROJECT_NAME at $OS_AUTH_URL" >>"$SANDBOX/calls"
case "$2 $3" in "policy show") echo rules ;; esac
`;
}

export function writeProgram(file: string, text: string): void {
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}

function findTool(name: string): string {
  const folders = (process.env['PATH'] ?? '').split(':').map((folder) => join(folder, name));
  const found = folders.find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${name} is not on PATH`);
  return found;
}
