import { Agent } from 'undici';
import { z } from 'zod';
import { type Answer, type Call, callBarbican, readJson, unavailable } from './http/call';
import type { Access, CallerAccess, Keeping, Secret, SecretContainer, SecretStore } from './port';

export interface HttpSecretStoreDeps {
  /** Address of the Key Manager API, with or without its version. */
  readonly endpoint: () => Promise<string>;
  readonly service: ServiceSession;
  /** Milliseconds a call may take; 10,000 by default. */
  readonly timeout?: number;
  /** How its certificate is checked; by what Node knows of authorities unless said. */
  readonly tls?: { readonly ca?: string; readonly rejectUnauthorized?: boolean };
}

/** This service's own login. */
export interface ServiceSession {
  /** A token that holds; given the one that was refused, a new one. */
  token(refused?: string): Promise<string>;
  userId(): Promise<string>;
}

export interface HttpSecretStore extends SecretStore {
  close(): Promise<void>;
}

/** Calls to the key manager at one time; more wait. */
const CONNECTIONS = 16;

const SecretView = z.object({ content_types: z.object({ default: z.string() }).partial().nullish() });
const ContainerView = z.object({
  type: z.string(),
  secret_refs: z.array(z.object({ name: z.string().nullish(), secret_ref: z.string() })),
});
const AclView = z.record(
  z.string(),
  z.object({ users: z.array(z.string()).nullish(), 'project-access': z.boolean().nullish() }),
);

/** The key manager over Barbican's HTTP API v1. */
export function createHttpSecretStore(deps: HttpSecretStoreDeps): HttpSecretStore {
  const { endpoint, service, timeout = 10_000, tls = {} } = deps;
  const dispatcher = new Agent({ connections: CONNECTIONS, connect: { timeout, ...tls } });
  const call = async (access: Access, request: Omit<Call, 'token'>): Promise<Answer> => {
    const address = (await endpoint()).replace(/\/+$/, '').replace(/\/v1$/, '');
    const send = (token: string) => callBarbican({ address, dispatcher, timeout }, { ...request, token });
    // Without a token there is nobody to ask on behalf of (noauth).
    if (access !== 'service' && access.token !== '') return send(access.token);
    const token = await service.token();
    const answer = await send(token);
    if (answer.status !== 401) return answer;
    const again = await send(await service.token(token));
    if (again.status === 401) throw unavailable();
    return again;
  };
  const changeUsers = async (what: Keeping, caller: CallerAccess, wanted: boolean): Promise<boolean> =>
    caller.token === '' ||
    setReader((request) => call(caller, request), { what, userId: await service.userId(), wanted });
  return {
    findSecret: (id, access) => findSecret((request) => call(access, request), id),
    findContainer: (id, access) => findContainer((request) => call(access, request), id),
    grantAccess: (what, caller) => changeUsers(what, caller, true),
    revokeAccess: (what, caller) => changeUsers(what, caller, false),
    async registerConsumer(id, { name, url }) {
      const path = `/v1/containers/${id}/consumers`;
      return (await call('service', { method: 'POST', path, body: { name, URL: url } })).found;
    },
    async unregisterConsumer(id, { name, url }) {
      await call('service', { method: 'DELETE', path: `/v1/containers/${id}/consumers`, body: { name, URL: url } });
    },
    close: () => dispatcher.close(),
  };
}

type Ask = (request: Omit<Call, 'token'>) => Promise<Answer>;

async function findSecret(ask: Ask, id: string): Promise<Secret | undefined> {
  const path = `/v1/secrets/${id}`;
  const about = await ask({ method: 'GET', path });
  const contentType = about.found ? readJson(about, SecretView).content_types?.default : undefined;
  if (contentType === undefined) return undefined;
  const answer = await ask({ method: 'GET', path: `${path}/payload`, accept: contentType });
  return answer.found ? { payload: answer.body, contentType } : undefined;
}

async function findContainer(ask: Ask, id: string): Promise<SecretContainer | undefined> {
  const answer = await ask({ method: 'GET', path: `/v1/containers/${id}` });
  if (!answer.found) return undefined;
  const { type, secret_refs: refs } = readJson(answer, ContainerView);
  return { type, secretRefs: new Map(refs.map(({ name, secret_ref }) => [name ?? '', secret_ref])) };
}

/**
 * Puts a user on the list of those who may read, or takes it off. The whole list is written back, with what it says about
 * the project: an older Barbican takes what is missing for "everybody in the project".
 */
async function setReader(
  ask: Ask,
  { what, userId, wanted }: { readonly what: Keeping; readonly userId: string; readonly wanted: boolean },
): Promise<boolean> {
  const path = `/v1/${what.kind}s/${what.id}/acl`;
  const before = await ask({ method: 'GET', path });
  if (!before.found) return !wanted && before.status === 404;
  const acl = readJson(before, AclView);
  const users = acl['read']?.users ?? [];
  if (users.includes(userId) === wanted) return true;
  const read = {
    users: wanted ? [...users, userId] : users.filter((user) => user !== userId),
    'project-access': acl['read']?.['project-access'] ?? true,
  };
  return (await ask({ method: 'PUT', path, body: { read } })).found;
}
