/**
 * What a client of the API may be told. Each class is one entry of the catalogue of `facts/octavia-api.md` section 4.3;
 * the texts are interface constants that clients match on.
 */
export abstract class ServiceError extends Error {
  /** The HTTP status. */
  abstract readonly status: number;
  override get name(): string {
    return this.constructor.name;
  }
}

/** 404. `resource` in Octavia's spelling: "Load Balancer", "Listener", "Pool", "Member", "Health Monitor", ... */
export class NotFoundError extends ServiceError {
  readonly status = 404;
  constructor(
    readonly resource: string,
    readonly id: string,
  ) {
    super(`${resource} ${id} not found.`);
  }
}

/** 400. A network object a request refers to is unknown: note that this is not a 404. */
export class InvalidReferenceError extends ServiceError {
  readonly status = 400;
  constructor(
    readonly resource: string,
    readonly id: string,
  ) {
    super(`${resource} ${id} not found.`);
  }
}

/** 409. Another change still owns this load balancer, pool or policy; retry once it is ACTIVE again. */
export class ImmutableError extends ServiceError {
  readonly status = 409;
  constructor(
    readonly resource: string,
    readonly id: string,
  ) {
    super(`${resource} ${id} is immutable and cannot be updated.`);
  }
}

/** 409. The load balancer's own PUT, DELETE or failover met a status that does not allow it. */
export class LoadBalancerStateError extends ServiceError {
  readonly status = 409;
  constructor(
    readonly state: string,
    readonly id: string,
  ) {
    super(`Invalid state ${state} of loadbalancer resource ${id}`);
  }
}

/** 400. "Validation failure: <detail>". */
export class ValidationError extends ServiceError {
  readonly status = 400;
  constructor(detail: string) {
    super(`Validation failure: ${detail}`);
  }
}

/** 400. "<value> is not a valid option for <option>". */
export class InvalidOptionError extends ServiceError {
  readonly status = 400;
  constructor(value: string, option: string) {
    super(`${value} is not a valid option for ${option}`);
  }
}

/** 400 with any text: for what Octavia words freely. */
export class BadRequestError extends ServiceError {
  readonly status = 400;
}

/** 400. The deployment's configuration forbids the option. */
export class DisabledOptionError extends ServiceError {
  readonly status = 400;
  constructor(option: string, value: string) {
    super(`The selected ${option} is not allowed in this deployment: ${value}`);
  }
}

/** 403. */
export class PolicyForbiddenError extends ServiceError {
  readonly status = 403;
  constructor() {
    super('Policy does not allow this request to be performed.');
  }
}

/** 403. `resource` in Octavia's spelling, as for NotFoundError. */
export class QuotaError extends ServiceError {
  readonly status = 403;
  constructor(readonly resource: string) {
    super(`Quota has been met for resources: ${resource}`);
  }
}

/** 409 with any text: duplicates and objects in use. */
export class ConflictError extends ServiceError {
  readonly status = 409;
}

/** 501. The provider cannot do what was asked. */
export class UnsupportedOptionError extends ServiceError {
  readonly status = 501;
  constructor(provider: string, detail: string) {
    super(`Provider '${provider}' does not support a requested option: ${detail}`);
  }
}

/** 503. Lock time-outs and Galera conflicts that outlasted their retries (the double spaces are Octavia's). */
export class ProjectBusyError extends ServiceError {
  readonly status = 503;
  constructor() {
    super('Project busy.  Unable to lock the project.  Please try again.');
  }
}

/** 503. A service this one depends on (database, Keystone, Neutron) cannot be reached. */
export class UnavailableError extends ServiceError {
  readonly status = 503;
}

/** Status and text passed through from another service (a refusal of Neutron to create a VIP port, for instance). */
export class PassedThroughError extends ServiceError {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * 400. Certificates, CA bundles or revocation lists that a request refers to cannot be had: they are not there, the
 * caller may not read them, or they are not what they should be. Octavia tells the references only; `reasons` are for
 * logs and events, and `addition` is what Octavia would not have minded and so has no text for.
 */
export class CertificateRetrievalError extends ServiceError {
  readonly status = 400;
  constructor(
    readonly refs: readonly string[],
    readonly reasons: readonly string[],
    readonly addition = '',
  ) {
    super(
      `Could not retrieve certificate: [${refs.map((ref) => `'${ref}'`).join(', ')}]${addition && `. ${addition}`}`,
    );
  }
}

/** 400. */
export class NamelessCertificateError extends ServiceError {
  readonly status = 400;
  constructor() {
    super('No CN or DNSName(s) found in certificate. The certificate is invalid.');
  }
}

/** 400. */
export class UnreadablePkcs12Error extends ServiceError {
  readonly status = 400;
  constructor(detail: string) {
    super(
      'The PKCS12 bundle is unreadable. Please check the PKCS12 bundle validity. In addition, make sure it does not ' +
        `require a pass phrase. Error: ${detail}`,
    );
  }
}
