import type { Answer, Call, CallDeps } from '../call';
import { badRequest, crash, Fault, notFound } from '../fault';
import { isMembers, type Json, type Members, textOf } from '../json';
import { NeutronFault, usualFault } from './errors';
import { floatingIps } from './floatingIps';
import { networks } from './networks';
import { ports } from './ports';
import { meets, type NeutronCall, type NeutronResource } from './request';
import { routers } from './routers';
import { securityGroupRules, securityGroups } from './securityGroups';
import { subnets } from './subnets';

const RESOURCES: Readonly<Record<string, NeutronResource>> = {
  network: networks,
  subnet: subnets,
  port: ports,
  floatingip: floatingIps,
  router: routers,
  security_group: securityGroups,
  security_group_rule: securityGroupRules,
};

/** `POST /neutron/<resource>`: what the Neutron plugin of Contrail asks. Every refusal is a 400. */
export async function answerNeutron(deps: CallDeps, name: string, { body, caller }: Call): Promise<Answer> {
  const resource = RESOURCES[name];
  if (!resource) throw notFound(`Not found: '/neutron/${name}'`);
  if (!isMembers(body)) throw crash();
  const { context, data } = body;
  if (!isMembers(context)) throw badRequest("Unable to parse request data: 'context'");
  if (!isMembers(data)) throw badRequest("Unable to parse request data: 'data'");
  const call: NeutronCall = {
    ...{ site: deps.site, keystone: deps.keystone },
    // The backend asks the server itself, by an address without a port.
    caller: { ...caller, base: caller.base.replace(/:\d+$/, '') },
    tenant: textOf(context['tenant']) ?? textOf(context['tenant_id']) ?? '',
    isAdmin: context['is_admin'] === true,
    id: textOf(data['id']) ?? '',
    resource: membersOf(data['resource']),
    filters: membersOf(data['filters']),
  };
  try {
    return await carryOut(resource, String(context['operation']), call);
  } catch (error) {
    const fault = error instanceof Fault ? usualFault(error) : error;
    if (!(fault instanceof NeutronFault)) throw error;
    return { status: 400, body: fault.body, asText: true };
  }
}

function membersOf(value: Json | undefined): Members {
  return isMembers(value) ? value : {};
}

async function carryOut(resource: NeutronResource, operation: string, call: NeutronCall): Promise<Answer> {
  const listed = (): Members[] => resource.list(call).filter((one) => meets(one, call.filters, resource.filters));
  switch (operation) {
    case 'CREATE':
      return { body: (await resource.create?.(call)) ?? null };
    case 'READ':
      return { body: resource.read(call) };
    case 'UPDATE':
      return { body: resource.update?.(call) ?? null };
    case 'DELETE':
      resource.remove?.(call);
      return {};
    case 'READALL':
      return { body: listed(), asText: true };
    case 'READCOUNT':
      // A count of one tenant's finds nothing, whatever there is: seen live.
      return { body: { count: 'tenant_id' in call.filters ? 0 : listed().length } };
    default: {
      const action = resource.actions?.[operation];
      if (!action) throw badRequest(`Unknown operation ${operation}`);
      return { body: action(call) };
    }
  }
}
