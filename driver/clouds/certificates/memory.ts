import type { Identity } from '../../domain/identity';
import { BarbicanError } from './barbican/errors';
import { type BarbicanDeps, type EmbeddedBarbican, openBarbican } from './barbican/model';
import type { Access, Keeping, SecretStore } from './port';

export interface EmbeddedCertificates {
  /** For the load-balancing service. */
  readonly store: SecretStore;
  /** For the HTTP face. */
  readonly barbican: EmbeddedBarbican;
}

export interface EmbeddedCertificatesDeps extends BarbicanDeps {
  /** Who this service is: the service user of the embedded Keystone. */
  readonly service: Identity;
}

/** The embedded key manager, with what its store holds. @throws whatever the store throws */
export async function openEmbeddedCertificates(deps: EmbeddedCertificatesDeps): Promise<EmbeddedCertificates> {
  const barbican = await openBarbican(deps);
  return { barbican, store: createStore(barbican, deps.service) };
}

function createStore(barbican: EmbeddedBarbican, service: Identity): SecretStore {
  const whoIs = (access: Access): Identity => (access === 'service' ? service : access.identity);
  return {
    findSecret: (id, access) =>
      orUndefined(() => {
        const { content, contentType } = barbican.readPayload(whoIs(access), id);
        return { payload: content, contentType };
      }),
    findContainer: (id, access) =>
      orUndefined(() => {
        const { type, secretRefs } = barbican.get(whoIs(access), 'container', id);
        return { type, secretRefs: new Map(secretRefs.map(({ name, secretId }) => [name, `secrets/${secretId}`])) };
      }),
    grantAccess: async (what, { identity }) => {
      const { userId } = service;
      return (await setReader(barbican, { identity, what, userId, wanted: true })) === 'done';
    },
    revokeAccess: async (what, { identity }) => {
      const { userId } = service;
      return (await setReader(barbican, { identity, what, userId, wanted: false })) !== 'refused';
    },
    registerConsumer: async (id, consumer) =>
      (await orUndefined(() => barbican.addConsumer(service, id, consumer))) !== undefined,
    unregisterConsumer: async (id, consumer) => {
      await orUndefined(() => barbican.removeConsumer(service, id, consumer));
    },
  };
}

/** Puts a user on the list of those who may read, or takes it off. */
async function setReader(
  barbican: EmbeddedBarbican,
  change: { readonly identity: Identity; readonly what: Keeping; readonly userId: string; readonly wanted: boolean },
): Promise<'done' | 'gone' | 'refused'> {
  const { identity, what, userId, wanted } = change;
  try {
    const { acl } = barbican.get(identity, what.kind, what.id);
    const users = acl?.users ?? [];
    if (users.includes(userId) === wanted) return 'done';
    await barbican.setAcl(identity, what, {
      users: wanted ? [...users, userId] : users.filter((user) => user !== userId),
      projectAccess: acl?.projectAccess ?? true,
    });
    return 'done';
  } catch (err) {
    if (err instanceof BarbicanError) return err.status === 404 ? 'gone' : 'refused';
    throw err;
  }
}

/** Undefined for what is not there, and for what may not be read. */
async function orUndefined<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (err) {
    if (err instanceof BarbicanError && [403, 404].includes(err.status)) return undefined;
    throw err;
  }
}
