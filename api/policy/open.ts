import type { Logger } from 'pino';
import type { Config } from '../../driver/config/config';
import { createPolicy, type Policy } from './authorize';
import { followRules, readSources } from './language/followRules';
import { compileRules, type RuleSources } from './language/rules';
import { builtInRules, type RoleModel } from './roles';

export interface OpenedPolicy {
  readonly policy: Policy;
  close(): Promise<void>;
}

/**
 * The policy that the configuration names, with the operator's files over the built-in rules.
 * @throws PolicyError when a file cannot be used
 */
export async function openPolicy({ oslo_policy: settings }: Config, log: Logger): Promise<OpenedPolicy> {
  const followed = await followRules({ ...sourcesOf(settings), log });
  return {
    policy: createPolicy({ rules: followed.rules, enforceScope: settings.enforce_scope }),
    close: () => followed.close(),
  };
}

/**
 * The rules in force as they are written, the operator's files over the built-in ones: what the API decides by now.
 * @throws PolicyError when they cannot be used
 */
export async function readRulesInForce({ oslo_policy: settings }: Pick<Config, 'oslo_policy'>): Promise<RuleSources> {
  const sources = await readSources(sourcesOf(settings));
  compileRules(sources, settings.policy_default_rule);
  return Object.assign({}, ...sources);
}

function sourcesOf(settings: Config['oslo_policy']) {
  return {
    defaults: builtInRules(modelOf(settings)),
    files: [settings.policy_file],
    directories: settings.policy_dirs,
    defaultRule: settings.policy_default_rule,
  };
}

function modelOf({ role_model: model, enforce_new_defaults: strict }: Config['oslo_policy']): RoleModel {
  if (model !== 'default') return model;
  return strict ? 'keystone' : 'either';
}
