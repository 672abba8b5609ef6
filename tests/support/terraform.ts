import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

// Plain Node, since npm scripts run it before anything is compiled.
const { ensureProvider } = require('../../devstack/build-terraform.cjs') as { ensureProvider(): string };

/** A working directory of the unmodified Terraform with the unmodified OpenStack provider. */
export interface Terraform {
  /** Runs `terraform <args>`; gives its output. @throws unless it ends with one of the codes, which are [0] */
  run(args: readonly string[], codes?: readonly number[]): Promise<string>;
  /** `plan -detailed-exitcode`: whether something would be changed. */
  wouldChange(variables: Variables): Promise<boolean>;
  /** Applies with these variables; Terraform's own parallelism, which is 10. */
  apply(variables: Variables): Promise<string>;
  destroy(variables: Variables): Promise<string>;
  /** The addresses of everything in the state. */
  resources(): Promise<string[]>;
  dispose(): void;
}

export type Variables = Readonly<Record<string, unknown>>;

const TIMEOUT = 300_000;

/** Copies a configuration, and initialises it without a registry. */
export async function openTerraform(configuration: string, env: NodeJS.ProcessEnv): Promise<Terraform> {
  const folder = mkdtempSync(path.join(tmpdir(), 'slipstream-terraform-'));
  cpSync(configuration, folder, { recursive: true });
  const cli = path.join(folder, 'cli.tfrc');
  const mirror = ensureProvider();
  writeFileSync(cli, `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`);
  const run = (args: readonly string[], codes: readonly number[] = [0]): Promise<string> =>
    runTerraform(args, { folder, codes, env: { ...env, TF_CLI_CONFIG_FILE: cli, ...QUIET } });
  await run(['init', '-input=false', '-no-color']);
  const give = (variables: Variables): string[] => {
    writeFileSync(path.join(folder, 'terraform.tfvars.json'), JSON.stringify(variables));
    return ['-input=false', '-no-color'];
  };
  return {
    run,
    async wouldChange(variables) {
      const output = await run(['plan', '-detailed-exitcode', ...give(variables)], [0, 2]);
      return !output.includes('No changes.');
    },
    apply: (variables) => run(['apply', '-auto-approve', ...give(variables)]),
    destroy: (variables) => run(['destroy', '-auto-approve', ...give(variables)]),
    resources: async () => (await run(['state', 'list'])).split('\n').filter((line) => line !== ''),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** It asks its makers for news otherwise. */
const QUIET = { CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' };

interface Run {
  readonly folder: string;
  readonly codes: readonly number[];
  readonly env: NodeJS.ProcessEnv;
}

function runTerraform(args: readonly string[], { folder, codes, env }: Run): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      'terraform',
      args,
      { cwd: folder, env, timeout: TIMEOUT, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        const code = error ? Number(error.code ?? -1) : 0;
        if (codes.includes(code)) resolve(stdout);
        else reject(new Error(`terraform ${args[0]}: ${code}\n${stdout.slice(-5000)}\n${stderr.slice(-5000)}`));
      },
    );
  });
}
