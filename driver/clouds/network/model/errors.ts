import { PassedThroughError } from '../../../domain/errors';

/** A refusal in Neutron's form; `type` is the name of Neutron's exception, which clients match on. */
export class NeutronError extends PassedThroughError {
  constructor(
    status: number,
    readonly type: string,
    message: string,
  ) {
    super(status, message);
  }
}

export const networkNotFound = (id: string) =>
  new NeutronError(404, 'NetworkNotFound', `Network ${id} could not be found.`);
export const subnetNotFound = (id: string) =>
  new NeutronError(404, 'SubnetNotFound', `Subnet ${id} could not be found.`);
export const portNotFound = (id: string) => new NeutronError(404, 'PortNotFound', `Port ${id} could not be found.`);
export const securityGroupNotFound = (id: string) =>
  new NeutronError(404, 'SecurityGroupNotFound', `Security group ${id} does not exist`);
export const securityGroupRuleNotFound = (id: string) =>
  new NeutronError(404, 'SecurityGroupRuleNotFound', `Security group rule ${id} does not exist`);
export const floatingIpNotFound = (id: string) =>
  new NeutronError(404, 'FloatingIPNotFound', `Floating IP ${id} could not be found`);
export const qosPolicyNotFound = (id: string) =>
  new NeutronError(404, 'QosPolicyNotFound', `QoS policy ${id} could not be found.`);

export const revisionMismatch = (wanted: number, current: number) =>
  new NeutronError(
    412,
    'RevisionNumberConstraintFailed',
    `Constrained to ${wanted}, but current revision is ${current}`,
  );

/** 400 for a value that is well formed but makes no sense where it stands. */
export const invalidInput = (detail: string) =>
  new NeutronError(400, 'InvalidInput', `Invalid input for operation: ${detail}.`);

/** 403. `rule` as in Neutron's policy file: "create_network:shared". */
export const policyForbids = (rule: string) =>
  new NeutronError(403, 'PolicyNotAuthorized', `rule:${rule} is disallowed by policy`);
