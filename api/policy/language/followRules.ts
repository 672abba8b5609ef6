import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { readPolicyText } from './file';
import { compileRules, type RuleSet, type RuleSources } from './rules';
import { PolicyError } from './syntax';

export interface FollowedRulesDeps {
  /** What holds where no file says otherwise. */
  readonly defaults: RuleSources;
  /** Files that override single rules, later ones those before them; one that is not there overrides nothing. */
  readonly files: readonly string[];
  /** Directories whose `*.yaml`, `*.yml` and `*.json` override the files, by name. */
  readonly directories?: readonly string[];
  /** `[oslo_policy] policy_default_rule`. */
  readonly defaultRule?: string;
  readonly log: Logger;
  /** Milliseconds between two looks at the files; 1000 by default. */
  readonly lookEvery?: number;
}

/** The rules in force. They follow the files; a file that cannot be used changes nothing and is logged. */
export interface FollowedRules {
  rules(): RuleSet;
  close(): Promise<void>;
}

/**
 * Reads the rules and follows their files.
 * @throws PolicyError when they cannot be used at the start
 */
export async function followRules(deps: FollowedRulesDeps): Promise<FollowedRules> {
  let seen = await observe(deps);
  let inForce = await load(deps);
  /** What the files looked like at the last look, when that differs from what is in force. */
  let changing: string | undefined;
  let looking: Promise<void> = Promise.resolve();

  const look = async (): Promise<void> => {
    const now = await observe(deps);
    if (now === seen) {
      changing = undefined;
      return;
    }
    // Read only what stayed the same between two looks: an editor may still be writing.
    if (now !== changing) {
      changing = now;
      return;
    }
    seen = now;
    changing = undefined;
    inForce = await load(deps);
    deps.log.info({ files: deps.files, rules: inForce.names.size }, 'the policy was read again');
  };
  const timer = setInterval(() => {
    looking = looking.then(look).catch((err) => {
      deps.log.error({ err }, 'the changed policy cannot be used; the previous rules stay in force');
    });
  }, deps.lookEvery ?? 1000);
  timer.unref();

  return {
    rules: () => inForce,
    async close() {
      clearInterval(timer);
      await looking;
    },
  };
}

async function load(deps: FollowedRulesDeps): Promise<RuleSet> {
  const rules = compileRules(await readSources(deps), deps.defaultRule);
  const unknown = [...rules.undefinedNames];
  if (unknown.length > 0) deps.log.warn({ rules: unknown }, 'the policy refers to rules that are not defined');
  return rules;
}

/**
 * The defaults and what each file says, in their order: what stands later wins.
 * @throws PolicyError for a file that cannot be used
 */
export async function readSources(deps: Omit<FollowedRulesDeps, 'log'>): Promise<RuleSources[]> {
  const sources: RuleSources[] = [deps.defaults];
  for (const file of await listFiles(deps)) {
    const text = await readFile(file, 'utf8').catch((err) => giveUp(err, file));
    if (text !== undefined) sources.push(readPolicyText(text, file));
  }
  return sources;
}

async function listFiles({ files, directories = [] }: Omit<FollowedRulesDeps, 'log'>): Promise<string[]> {
  const inside = await Promise.all(
    directories.map(async (directory) => {
      const names = (await readdir(directory).catch((err) => giveUp(err, directory))) ?? [];
      return names
        .filter((name) => /^[^.].*\.(ya?ml|json)$/.test(name))
        .sort()
        .map((name) => join(directory, name));
    }),
  );
  return [...files, ...inside.flat()];
}

/** A text that changes when one of the files does, or whether it can be read. */
async function observe(deps: FollowedRulesDeps): Promise<string> {
  const files = await listFiles(deps).catch((err: Error) => [...deps.files, err.message]);
  const marks = files.map(async (file) => {
    try {
      const { ino, size, mtimeNs } = await stat(file, { bigint: true });
      return `${file} ${ino} ${size} ${mtimeNs}`;
    } catch (err) {
      return `${file} ${err}`;
    }
  });
  return (await Promise.all(marks)).join('\n');
}

/** What is not there is no error. */
function giveUp(err: NodeJS.ErrnoException, path: string): undefined {
  if (err.code === 'ENOENT') return undefined;
  throw new PolicyError(`${path}: ${err.message}`);
}
