import { BGPAAS_RULES } from './bgp';
import { FLOATING_IP_RULES } from './floatingIps';
import { INSTANCE_IP_RULES } from './instanceIps';
import { NETWORK_RULES } from './networks';
import { PORT_RULES } from './ports';
import { PROJECT_RULES, SECURITY_GROUP_RULES } from './projects';
import type { Rules } from './rules';

const RULES: Readonly<Record<string, Rules>> = {
  'virtual-network': NETWORK_RULES,
  'virtual-machine-interface': PORT_RULES,
  'instance-ip': INSTANCE_IP_RULES,
  'floating-ip': FLOATING_IP_RULES,
  'bgp-as-a-service': BGPAAS_RULES,
  project: PROJECT_RULES,
  'security-group': SECURITY_GROUP_RULES,
};

export function rulesOf(type: string): Rules {
  return RULES[type] ?? {};
}
