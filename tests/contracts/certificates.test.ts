import { createHttpSecretStore } from '../../driver/clouds/certificates/http';
import type { CallerAccess, Keeping, SecretStore } from '../../driver/clouds/certificates/port';
import type { Identity } from '../../driver/domain/identity';
import { aBarbican, type BarbicanSite, listen } from '../support/simulators/barbican';

interface Opened {
  readonly store: SecretStore;
  readonly site: BarbicanSite;
  close(): Promise<void>;
}

/** Every implementation of the port; a real Barbican joins by one more entry. */
const TWINS: readonly { readonly name: string; readonly open: () => Promise<Opened> }[] = [
  {
    name: 'memory',
    open: async () => {
      const site = await aBarbican();
      return { store: site.store, site, close: async () => undefined };
    },
  },
  {
    name: 'http',
    open: async () => {
      const site = await aBarbican();
      const server = await listen(site.face);
      const store = createHttpSecretStore({
        endpoint: async () => server.url,
        service: { token: async () => site.service.token, userId: async () => site.service.identity.userId },
      });
      const close = async (): Promise<void> => {
        await store.close();
        await server.close();
      };
      return { store, site, close };
    },
  },
];

describe.each(TWINS)('a secret store ($name)', ({ open }) => {
  let opened: Opened;
  let store: SecretStore;
  let member: CallerAccess;
  let stranger: CallerAccess;

  beforeEach(async () => {
    opened = await open();
    store = opened.store;
    member = await opened.site.caller('member', 'demo');
    stranger = await opened.site.caller('admin', 'admin');
  });
  afterEach(() => opened.close());

  async function keep(content: string | Buffer, owner: Identity = member.identity): Promise<Keeping> {
    const contentType = typeof content === 'string' ? 'text/plain' : 'application/octet-stream';
    const { id } = await opened.site.barbican.createSecret(owner, {
      name: 'it',
      secretType: 'opaque',
      algorithm: null,
      bitLength: null,
      mode: null,
      expiration: null,
      payload: { content: Buffer.from(content), contentType },
    });
    return { kind: 'secret', id };
  }

  async function contain(parts: Record<string, Keeping>): Promise<Keeping> {
    const secretRefs = Object.entries(parts).map(([name, { id }]) => ({ name, secretId: id }));
    const { id } = await opened.site.barbican.createContainer(member.identity, {
      name: 'them',
      type: 'certificate',
      secretRefs,
    });
    return { kind: 'container', id };
  }

  it('finds a secret, byte for byte, with its media type', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));

    expect(await store.findSecret((await keep('grüße\n')).id, member)).toEqual({
      payload: Buffer.from('grüße\n'),
      contentType: 'text/plain',
    });
    expect(await store.findSecret((await keep(bytes)).id, member)).toEqual({
      payload: bytes,
      contentType: 'application/octet-stream',
    });
  });

  it('finds a container and the secrets in it', async () => {
    const certificate = await keep('cert');
    const key = await keep('key');
    const { id } = await contain({ certificate, private_key: key });

    const found = await store.findContainer(id, member);

    expect(found?.type).toBe('certificate');
    expect([...(found?.secretRefs ?? [])].map(([name, ref]) => [name, ref.split('/').slice(-2).join('/')])).toEqual([
      ['certificate', `secrets/${certificate.id}`],
      ['private_key', `secrets/${key.id}`],
    ]);
  });

  it('finds nothing where there is nothing, or no payload yet', async () => {
    const { id } = await opened.site.barbican.createSecret(member.identity, {
      name: null,
      secretType: 'opaque',
      algorithm: null,
      bitLength: null,
      mode: null,
      expiration: null,
      payload: null,
    });

    expect(await store.findSecret(id, member)).toBeUndefined();
    expect(await store.findSecret('5ca1ab1e-0000-4000-8000-000000000000', member)).toBeUndefined();
    expect(await store.findContainer('5ca1ab1e-0000-4000-8000-000000000000', 'service')).toBeUndefined();
  });

  it('shows nobody what belongs to another project, not even this service', async () => {
    const secret = await keep('mine');
    const container = await contain({ certificate: secret });

    for (const access of [stranger, 'service'] as const) {
      expect(await store.findSecret(secret.id, access)).toBeUndefined();
      expect(await store.findContainer(container.id, access)).toBeUndefined();
    }
  });

  it('lets this service read what the owner grants, and no longer when that is taken back', async () => {
    const secret = await keep('mine');
    const container = await contain({ certificate: secret });
    for (const what of [secret, container]) expect(await store.grantAccess(what, member)).toBe(true);

    expect((await store.findSecret(secret.id, 'service'))?.payload.toString()).toBe('mine');
    expect((await store.findContainer(container.id, 'service'))?.type).toBe('certificate');
    expect(await store.findSecret(secret.id, stranger)).toBeUndefined();

    for (const what of [secret, container]) expect(await store.revokeAccess(what, member)).toBe(true);
    expect(await store.findSecret(secret.id, 'service')).toBeUndefined();
    expect(await store.findContainer(container.id, 'service')).toBeUndefined();
    expect((await store.findSecret(secret.id, member))?.payload.toString()).toBe('mine');
  });

  it('leaves alone who else may read, and whether the project may', async () => {
    const secret = await keep('mine');
    await opened.site.barbican.setAcl(member.identity, secret, { users: ['a-friend'], projectAccess: false });

    await store.grantAccess(secret, member);
    await store.grantAccess(secret, member);
    const { acl } = opened.site.barbican.get(member.identity, 'secret', secret.id);
    expect(acl).toMatchObject({ users: ['a-friend', opened.site.service.identity.userId], projectAccess: false });

    await store.revokeAccess(secret, member);
    await store.revokeAccess(secret, member);
    expect(opened.site.barbican.get(member.identity, 'secret', secret.id).acl).toMatchObject({
      users: ['a-friend'],
      projectAccess: false,
    });
  });

  it('does not let those decide who may not', async () => {
    const secret = await keep('mine');
    const missing: Keeping = { kind: 'secret', id: '5ca1ab1e-0000-4000-8000-000000000000' };

    expect(await store.grantAccess(secret, stranger)).toBe(false);
    expect(await store.revokeAccess(secret, stranger)).toBe(false);
    expect(await store.grantAccess(missing, member)).toBe(false);
    expect(await store.revokeAccess(missing, member)).toBe(true);
    expect(await store.findSecret(secret.id, 'service')).toBeUndefined();
  });

  it('registers each use of a container once, and ends it', async () => {
    const container = await contain({ certificate: await keep('cert') });
    const consumer = { name: 'Octavia', url: 'http://lb.example.org/v2/lbaas/listeners/1' };
    const consumersOf = () => opened.site.barbican.get(member.identity, 'container', container.id).consumers;
    expect(await store.registerConsumer(container.id, consumer)).toBe(false);
    await store.grantAccess(container, member);

    expect(await store.registerConsumer(container.id, consumer)).toBe(true);
    expect(await store.registerConsumer(container.id, consumer)).toBe(true);
    await store.registerConsumer(container.id, { ...consumer, url: 'http://lb.example.org/v2/lbaas/listeners/2' });
    expect(consumersOf()).toHaveLength(2);

    await store.unregisterConsumer(container.id, consumer);
    await store.unregisterConsumer(container.id, consumer);
    expect(consumersOf()).toEqual([{ ...consumer, url: 'http://lb.example.org/v2/lbaas/listeners/2' }]);
  });
});
