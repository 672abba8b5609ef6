import { NeutronError } from '../../../../driver/clouds/network/model/errors';

type Body = Readonly<Record<string, unknown>>;

/** Neutron's exceptions that Contrail's backend names: their status, and their text with what it says of them. */
const EXCEPTIONS: Readonly<Record<string, readonly [status: number, text: (about: Body) => string]>> = {
  NetworkNotFound: [404, (it) => `Network ${it['net_id']} could not be found.`],
  SubnetNotFound: [404, (it) => `Subnet ${it['subnet_id']} could not be found.`],
  PortNotFound: [404, (it) => `Port ${it['port_id']} could not be found.`],
  FloatingIPNotFound: [404, (it) => `Floating IP ${it['floatingip_id']} could not be found`],
  RouterNotFound: [404, (it) => `Router ${it['router_id']} could not be found`],
  SecurityGroupNotFound: [404, (it) => `Security group ${it['id']} does not exist`],
  SecurityGroupRuleNotFound: [404, (it) => `Security group rule ${it['id']} does not exist`],
  NotFound: [404, () => 'An unknown exception occurred.'],
  Conflict: [409, () => 'An unknown exception occurred.'],
  BadRequest: [400, (it) => `Bad ${it['resource']} request: ${it['msg']}.`],
  IpAddressInUse: [
    409,
    (it) => `Unable to complete operation for network ${it['net_id']}. The IP address ${it['ip_address']} is in use.`,
  ],
  IpAddressGenerationFailure: [409, (it) => `No more IP addresses available on network ${it['net_id']}.`],
  NetworkInUse: [
    409,
    (it) =>
      `Unable to complete operation on network ${it['net_id']}. There are one or more ports still in use on the network.`,
  ],
  SubnetInUse: [
    409,
    (it) =>
      `Unable to complete operation on subnet ${it['subnet_id']}: One or more ports have an IP allocation from this subnet.`,
  ],
  SecurityGroupInUse: [409, (it) => `Security Group ${it['id']} in use.`],
  SecurityGroupCannotRemoveDefault: [409, () => 'Insufficient rights for removing default security group.'],
  SecurityGroupRuleExists: [409, (it) => `Security group rule already exists. Rule id is ${it['id']}.`],
  PortSecurityPortHasSecurityGroup: [
    409,
    () =>
      'Port has security group associated. Cannot disable port security or IP address until security group is removed.',
  ],
};

/** What Contrail's plugin makes of a refusal of its backend. */
export function fromBackend(body: Body, resource: string): NeutronError {
  const name = String(body['exception']);
  const known = EXCEPTIONS[name];
  if (!known) return new NeutronError(500, 'NeutronException', 'An unknown exception occurred.');
  return new NeutronError(known[0], name, known[1]({ resource, ...body }));
}

/** One that is not there, or not shown to who asks. */
export function missing(exception: string, id: string): NeutronError {
  const about = { net_id: id, subnet_id: id, port_id: id, floatingip_id: id, router_id: id, id };
  return fromBackend({ exception, ...about }, '');
}

export const noResource = (): NeutronError => new NeutronError(404, 'HTTPNotFound', 'The resource could not be found.');

export const badRequest = (message: string): NeutronError => new NeutronError(400, 'HTTPBadRequest', message);

/** What a Neutron says whose plugin has failed. */
export const serverError = (): NeutronError =>
  new NeutronError(
    500,
    'HTTPInternalServerError',
    'Request Failed: internal server error while processing your request.',
  );
