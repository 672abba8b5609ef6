import type { Identity } from '../../domain/identity';

/**
 * Certificates, keys, CA bundles and revocation lists that users keep in the key manager and name by reference. Twins of
 * `SecretStore`: `memory.ts` (the embedded Barbican) and `http.ts` (the real one). `Certificates` is what the API and the
 * health-manager hold: the same over either (`certificates.ts`).
 */

/** On whose behalf something is read: the caller of a request, or this service itself. */
export type Access = CallerAccess | 'service';

export interface CallerAccess {
  readonly identity: Identity;
  /** The caller's `X-Auth-Token`; empty under noauth, where the key manager cannot be asked on the caller's behalf. */
  readonly token: string;
}

export interface Secret {
  readonly payload: Buffer;
  /** Media type the secret is kept under: `text/plain`, `application/octet-stream`, ... */
  readonly contentType: string;
}

export interface SecretContainer {
  /** `certificate`, `generic` or `rsa`. */
  readonly type: string;
  /** References by their name in the container: `certificate`, `private_key`, `intermediates`, `private_key_passphrase`. */
  readonly secretRefs: ReadonlyMap<string, string>;
}

/** A secret or a container by its id. */
export interface Keeping {
  readonly kind: 'secret' | 'container';
  readonly id: string;
}

/** Who makes use of a container; shown to its owner. */
export interface Consumer {
  readonly name: string;
  /** Of the object that uses it. */
  readonly url: string;
}

/**
 * The key manager. Whatever may not be read counts as missing, so that nobody learns what exists.
 * @throws UnavailableError when it cannot be asked
 */
export interface SecretStore {
  /** Undefined when there is no such secret, or it has no payload yet. */
  findSecret(id: string, access: Access): Promise<Secret | undefined>;
  findContainer(id: string, access: Access): Promise<SecretContainer | undefined>;
  /**
   * Lets this service read the thing from now on, on the caller's behalf, beside those who may already. False when the
   * caller may not decide that.
   */
  grantAccess(what: Keeping, caller: CallerAccess): Promise<boolean>;
  /** Takes back what `grantAccess` gave; what is gone counts as taken back. False when the caller may not decide that. */
  revokeAccess(what: Keeping, caller: CallerAccess): Promise<boolean>;
  /** Registers, as this service; again and again is the same. False when this service sees no such container. */
  registerConsumer(containerId: string, consumer: Consumer): Promise<boolean>;
  /** A registration that is not there counts as removed. */
  unregisterConsumer(containerId: string, consumer: Consumer): Promise<void>;
}

/** What a listener or a pool needs to speak TLS, ready to be written into files. PEM throughout, each with a line end. */
export interface TlsMaterial {
  readonly certificate: string;
  /** From the issuer of the certificate upwards; what does not belong to that chain comes last. */
  readonly intermediates: readonly string[];
  /** PKCS8, without pass phrase. Never to be logged or stored. */
  readonly privateKey: string;
  /** The CN in lower case, or else the first DNS name; null when the certificate names nobody. */
  readonly primaryCn: string | null;
  readonly dnsNames: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the certificate, hexadecimal: tells whether it changed without touching the key. */
  readonly fingerprint: string;
}

/** What a listener or a pool refers to. */
export interface TlsReferences {
  /** `default_tls_container_ref` and `sni_container_refs`, or `tls_container_ref`. */
  readonly certificates: readonly string[];
  /** `client_ca_tls_container_ref` or `ca_tls_container_ref`. */
  readonly ca: string | null;
  /** `client_crl_container_ref` or `crl_container_ref`; checked against the CA. */
  readonly crl: string | null;
}

export interface Certificates {
  /**
   * What a request refers to can be read by the caller, is valid now, and belongs together; and this service may read it
   * from now on. Not to be called inside a transaction. With a CRL the CA must be given, too, even if it stays as it was.
   * @throws CertificateRetrievalError, NamelessCertificateError, UnreadablePkcs12Error, ValidationError
   * @throws UnavailableError when the key manager cannot be asked
   */
  checkReferences(references: TlsReferences, caller: CallerAccess): Promise<void>;
  /**
   * Certificate and key behind a container or a PKCS12 secret; expired ones, too, since what serves goes on serving.
   * @throws CertificateRetrievalError, UnreadablePkcs12Error, UnavailableError
   */
  fetchMaterial(ref: string, access: Access): Promise<TlsMaterial>;
  /** The CA certificates behind a secret. @throws CertificateRetrievalError, ValidationError, UnavailableError */
  fetchCaBundle(ref: string, access: Access): Promise<string>;
  /** The revocation lists behind a secret. @throws CertificateRetrievalError, ValidationError, UnavailableError */
  fetchCrl(ref: string, access: Access): Promise<string>;
  /** Shows the owner of a container that an object uses it; for anything but a container this does nothing. */
  registerConsumer(ref: string, consumer: Consumer): Promise<void>;
  /** Ends that; what is gone counts as ended. */
  unregisterConsumer(ref: string, consumer: Consumer): Promise<void>;
}
