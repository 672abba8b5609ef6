import type { Logger } from 'pino';
import type { Config } from '../../driver/config/config';
import { createPolicy, type Policy } from './authorize';
import { followRules } from './language/followRules';
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
  const followed = await followRules({
    defaults: builtInRules(modelOf(settings)),
    files: [settings.policy_file],
    directories: settings.policy_dirs,
    defaultRule: settings.policy_default_rule,
    log,
  });
  return {
    policy: createPolicy({ rules: followed.rules, enforceScope: settings.enforce_scope }),
    close: () => followed.close(),
  };
}

function modelOf({ role_model: model, enforce_new_defaults: strict }: Config['oslo_policy']): RoleModel {
  if (model !== 'default') return model;
  return strict ? 'keystone' : 'either';
}
