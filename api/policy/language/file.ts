import { parse } from 'yaml';
import { z } from 'zod';
import type { RuleSources } from './rules';
import { PolicyError } from './syntax';

const Source = z.union([z.string(), z.null(), z.array(z.union([z.string(), z.array(z.string())]))]);
const Sources = z.record(z.string(), Source);

/**
 * The rules in the text of a policy file, YAML or JSON (which is YAML, too). An empty file has none.
 * @throws PolicyError that names the file and what is wrong in it
 */
export function readPolicyText(text: string, file: string): RuleSources {
  const rules = Sources.safeParse(parseYaml(text, file) ?? {});
  if (rules.success) return rules.data;
  const [issue] = rules.error.issues;
  const where = issue && issue.path.length > 0 ? `rule "${String(issue.path[0])}"` : 'the file';
  const what =
    issue && issue.path.length > 0 ? 'must be a text, or a list of texts and lists' : 'must map names to rules';
  throw new PolicyError(`${file}: ${where} ${what}`);
}

function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text, { uniqueKeys: true, maxAliasCount: 100 });
  } catch (err) {
    throw new PolicyError(`${file}: ${err instanceof Error ? err.message.split('\n')[0] : String(err)}`);
  }
}
