import type { CallerAccess, Consumer, Keeping } from '../../../driver/clouds/certificates/port';
import type { BarbicanSite } from './barbican';

/** A user of the key manager, as tests of the port need one: what the load-balancing service itself never does. */
export interface KeyOwner {
  /** Text is kept as text, bytes as bytes, and null as a secret that waits for its payload. */
  keep(content: string | Buffer | null): Promise<Keeping>;
  contain(parts: Readonly<Record<string, Keeping>>): Promise<Keeping>;
  setAcl(what: Keeping, acl: Acl): Promise<void>;
  showAcl(what: Keeping): Promise<Acl>;
  listConsumers(container: Keeping): Promise<readonly Consumer[]>;
}

export interface Acl {
  readonly users: readonly string[];
  readonly projectAccess: boolean;
}

/** The owner works on the embedded key manager itself. */
export function ownerInside({ barbican }: BarbicanSite, { identity }: CallerAccess): KeyOwner {
  return {
    async keep(content) {
      const contentType = typeof content === 'string' ? 'text/plain' : 'application/octet-stream';
      const { id } = await barbican.createSecret(identity, {
        ...{ name: 'it', secretType: 'opaque', algorithm: null, bitLength: null, mode: null, expiration: null },
        payload: content === null ? null : { content: Buffer.from(content), contentType },
      });
      return { kind: 'secret', id };
    },
    async contain(parts) {
      const secretRefs = Object.entries(parts).map(([name, { id }]) => ({ name, secretId: id }));
      const { id } = await barbican.createContainer(identity, { name: 'them', type: 'certificate', secretRefs });
      return { kind: 'container', id };
    },
    setAcl: (what, acl) => barbican.setAcl(identity, what, acl),
    async showAcl({ kind, id }) {
      const { acl } = barbican.get(identity, kind, id);
      return { users: acl?.users ?? [], projectAccess: acl?.projectAccess ?? true };
    },
    listConsumers: async ({ id }) => barbican.get(identity, 'container', id).consumers,
  };
}

/** The owner works over HTTP, with Barbican's own API; `url` without the version. */
export function ownerOverHttp(url: string, { token }: CallerAccess): KeyOwner {
  const send = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${url}/v1/${path}`, {
      method,
      headers: { 'X-Auth-Token': token, Accept: 'application/json', 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text || '{}');
  };
  const refOf = ({ kind, id }: Keeping): string => `${url}/v1/${kind}s/${id}`;
  const idOf = (ref: string): string => ref.split('/').at(-1) ?? '';
  return {
    async keep(content) {
      const payload =
        typeof content === 'string'
          ? { payload: content, payload_content_type: 'text/plain' }
          : content && {
              payload: content.toString('base64'),
              payload_content_type: 'application/octet-stream',
              payload_content_encoding: 'base64',
            };
      return { kind: 'secret', id: idOf((await send('POST', 'secrets', { name: 'it', ...payload })).secret_ref) };
    },
    async contain(parts) {
      const secret_refs = Object.entries(parts).map(([name, part]) => ({ name, secret_ref: refOf(part) }));
      const answer = await send('POST', 'containers', { name: 'them', type: 'certificate', secret_refs });
      return { kind: 'container', id: idOf(answer.container_ref) };
    },
    async setAcl({ kind, id }, { users, projectAccess }) {
      await send('PUT', `${kind}s/${id}/acl`, { read: { users, 'project-access': projectAccess } });
    },
    async showAcl({ kind, id }) {
      const { read } = await send('GET', `${kind}s/${id}/acl`);
      return { users: read.users ?? [], projectAccess: read['project-access'] };
    },
    async listConsumers({ id }) {
      const { consumers } = await send('GET', `containers/${id}/consumers`);
      return consumers.map(({ name, URL: at }: { name: string; URL: string }) => ({ name, url: at }));
    },
  };
}
