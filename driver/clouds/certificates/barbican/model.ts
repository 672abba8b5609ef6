import { randomUUID } from 'node:crypto';
import type { Identity } from '../../../domain/identity';
import type { ResourceStore } from '../../network/store';
import type { Consumer } from '../port';
import { BarbicanError, forbidden, notFound } from './errors';
import {
  type ContainerRecord,
  type Kind,
  openRecords,
  type RecordOf,
  type Records,
  type SecretRecord,
} from './records';
import { mayChange, mayKeep, mayRead } from './rights';
import { seal, unseal } from './sealing';

export interface BarbicanDeps {
  /** Where secrets and containers are kept; a store of its own. */
  readonly store: ResourceStore;
  /** Seals every payload before it comes to the store (`openKeyFile`). */
  readonly key: Buffer;
  readonly now?: () => Date;
  readonly newId?: () => string;
}

/** A payload with its media type. */
export interface Payload {
  readonly content: Buffer;
  readonly contentType: string;
}

export interface NewSecret
  extends Pick<SecretRecord, 'name' | 'secretType' | 'algorithm' | 'bitLength' | 'mode' | 'expiration'> {
  readonly payload: Payload | null;
}

export type NewContainer = Pick<ContainerRecord, 'name' | 'type' | 'secretRefs'>;

/** What an access list is set to. */
export interface NewAcl {
  readonly users: readonly string[];
  readonly projectAccess: boolean;
}

/**
 * The embedded Barbican: what its API does, without HTTP. Every method takes who asks.
 * @throws BarbicanError 403, 404, 409
 */
export interface EmbeddedBarbican {
  createSecret(identity: Identity, request: NewSecret): Promise<SecretRecord>;
  /** Gives a secret its payload, once. */
  setPayload(identity: Identity, id: string, payload: Payload): Promise<void>;
  readPayload(identity: Identity, id: string): Payload;
  createContainer(identity: Identity, request: NewContainer): Promise<ContainerRecord>;
  /** Everything of the kind in the caller's project that the caller may read, oldest first. */
  list<K extends Kind>(identity: Identity, kind: K): readonly RecordOf<K>[];
  get<K extends Kind>(identity: Identity, kind: K, id: string): RecordOf<K>;
  remove(identity: Identity, kind: Kind, id: string): Promise<void>;
  /** Replaces the access list; null is none. */
  setAcl(identity: Identity, what: { readonly kind: Kind; readonly id: string }, acl: NewAcl | null): Promise<void>;
  addConsumer(identity: Identity, containerId: string, consumer: Consumer): Promise<ContainerRecord>;
  removeConsumer(identity: Identity, containerId: string, consumer: Consumer): Promise<ContainerRecord>;
}

/** The embedded Barbican with what its store holds. @throws whatever the store throws */
export async function openBarbican(deps: BarbicanDeps): Promise<EmbeddedBarbican> {
  const { key, now = () => new Date(), newId = randomUUID } = deps;
  const site: Site = { records: await openRecords(deps.store), key, now, newId };
  return { ...keepAnything(site), ...keepSecrets(site), ...keepContainers(site) };
}

interface Site {
  readonly records: Records;
  readonly key: Buffer;
  readonly now: () => Date;
  readonly newId: () => string;
}

type Doing<K extends keyof EmbeddedBarbican> = Pick<EmbeddedBarbican, K>;

function keepAnything(site: Site): Doing<'get' | 'list' | 'remove' | 'setAcl'> {
  const { records, now } = site;
  return {
    get: (identity, kind, id) => read(site, identity, { kind, id }),
    list<K extends Kind>(identity: Identity, kind: K) {
      if (!mayKeep(identity)) throw forbidden(`${NAMES[kind]}(s) retrieval`);
      const all = [...(records[kind] as ReadonlyMap<string, RecordOf<K>>).values()];
      return all.filter((it) => it.projectId === identity.projectId && mayRead(identity, it) && !isOver(it, now()));
    },
    async remove(identity, kind, id) {
      const record = requireLiving(site, kind, records[kind].get(id));
      if (!mayChange(identity, record)) throw forbidden(`${NAMES[kind]} deletion`);
      await records.remove(kind, id);
    },
    async setAcl(identity, { kind, id }, acl) {
      await change(site, { kind, id }, (record) => {
        if (!mayChange(identity, record)) throw forbidden(`${NAMES[kind]}ACL(s) Update`);
        const at = now().toISOString();
        const times = { createdAt: record.acl?.createdAt ?? at, updatedAt: at };
        return {
          ...record,
          acl: acl && { users: [...new Set(acl.users)], projectAccess: acl.projectAccess, ...times },
        };
      });
    },
  };
}

function keepSecrets(site: Site): Doing<'createSecret' | 'setPayload' | 'readPayload'> {
  const { records, key } = site;
  return {
    createSecret: async (identity, { payload, ...given }) => {
      const owned = own(site, identity, 'secret');
      const sealed = payload && seal(key, payload.content, owned.id);
      return records.insert('secret', { ...owned, ...given, sealed, contentType: payload?.contentType ?? null });
    },
    async setPayload(identity, id, { content, contentType }) {
      await change(site, { kind: 'secret', id }, (secret) => {
        if (!mayChange(identity, secret)) throw forbidden('Secret update');
        if (secret.sealed !== null) throw new BarbicanError(409, 'Secret already has data, cannot modify it.');
        return { ...secret, contentType, sealed: seal(key, content, id) };
      });
    },
    readPayload(identity, id) {
      const { sealed, contentType } = read(site, identity, { kind: 'secret', id });
      if (sealed === null || contentType === null) {
        throw new BarbicanError(404, 'Not Found. Sorry but your secret has no payload.');
      }
      return { content: unseal(key, sealed, id), contentType };
    },
  };
}

function keepContainers(site: Site): Doing<'createContainer' | 'addConsumer' | 'removeConsumer'> {
  return {
    createContainer: async (identity, request) => {
      const owned = own(site, identity, 'container');
      for (const part of request.secretRefs) checkPart(site, owned.projectId, part);
      return site.records.insert('container', { ...owned, ...request });
    },
    addConsumer: (identity, id, consumer) =>
      change(site, { kind: 'container', id }, (container) => {
        if (!mayRead(identity, container)) throw forbidden('ContainerConsumer creation');
        return { ...container, consumers: [...container.consumers.filter(isOther(consumer)), consumer] };
      }),
    removeConsumer: (identity, id, consumer) =>
      change(site, { kind: 'container', id }, (container) => {
        if (!mayRead(identity, container)) throw forbidden('ContainerConsumer deletion');
        if (container.consumers.every(isOther(consumer))) throw notFound('consumer');
        return { ...container, consumers: container.consumers.filter(isOther(consumer)) };
      }),
  };
}

const NAMES = { secret: 'Secret', container: 'Container' } as const;

interface Which<K extends Kind> {
  readonly kind: K;
  readonly id: string;
}

function read<K extends Kind>(site: Site, identity: Identity, { kind, id }: Which<K>): RecordOf<K> {
  const record = requireLiving(site, kind, (site.records[kind] as ReadonlyMap<string, RecordOf<K>>).get(id));
  if (!mayRead(identity, record)) throw forbidden(`${NAMES[kind]} retrieval`);
  return record;
}

function change<K extends Kind>(
  site: Site,
  { kind, id }: Which<K>,
  apply: (record: RecordOf<K>) => RecordOf<K>,
): Promise<RecordOf<K>> {
  return site.records.update(kind, id, (record) => ({
    ...apply(requireLiving(site, kind, record)),
    updatedAt: site.now().toISOString(),
  }));
}

function own({ now, newId }: Site, identity: Identity, kind: Kind) {
  const { projectId } = identity;
  if (projectId === null || !mayKeep(identity)) throw forbidden(`${NAMES[kind]} creation`);
  const at = now().toISOString();
  return { id: newId(), projectId, creatorId: identity.userId, createdAt: at, updatedAt: at, acl: null, consumers: [] };
}

function requireLiving<T extends SecretRecord | ContainerRecord>({ now }: Site, kind: Kind, record: T | undefined): T {
  if (!record || isOver(record, now())) throw notFound(kind);
  return record;
}

/** What has expired is gone. */
function isOver(record: SecretRecord | ContainerRecord, now: Date): boolean {
  return 'expiration' in record && record.expiration !== null && new Date(record.expiration) <= now;
}

function isOther(consumer: Consumer): (candidate: Consumer) => boolean {
  return ({ name, url }) => name !== consumer.name || url !== consumer.url;
}

function checkPart(site: Site, projectId: string, { name, secretId }: NewContainer['secretRefs'][number]): void {
  const secret = site.records.secret.get(secretId);
  if (secret && secret.projectId === projectId && !isOver(secret, site.now())) return;
  throw new BarbicanError(404, `Secret provided for '${name}' doesn't exist.`);
}
