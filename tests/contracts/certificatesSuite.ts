import type { CallerAccess, SecretStore } from '../../driver/clouds/certificates/port';
import type { KeyOwner } from '../support/simulators/keyOwner';

/** A store, and who keeps things in the key manager behind it. */
export interface SecretSite {
  readonly store: SecretStore;
  /** A member of a project, who keeps things there. */
  readonly owner: KeyOwner;
  readonly member: CallerAccess;
  /** An admin, but of another project. */
  readonly stranger: CallerAccess;
  readonly serviceUserId: string;
  close(): Promise<void>;
}

/** One implementation of the port. */
export interface SecretTwin {
  readonly name: string;
  readonly open: () => Promise<SecretSite>;
}

const NOWHERE = '5ca1ab1e-0000-4000-8000-000000000000';

/** What every implementation does. */
export function describeSecretStore({ name, open }: SecretTwin): void {
  describe(`a secret store (${name})`, () => {
    let opened: SecretSite;
    let store: SecretStore;
    let owner: KeyOwner;
    let member: CallerAccess;
    let stranger: CallerAccess;

    beforeEach(async () => {
      opened = await open();
      ({ store, owner, member, stranger } = opened);
    });
    afterEach(() => opened.close());

    it('finds a secret, byte for byte, with its media type', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));

      expect(await store.findSecret((await owner.keep('grüße\nund mehr')).id, member)).toEqual({
        payload: Buffer.from('grüße\nund mehr'),
        contentType: 'text/plain',
      });
      expect(await store.findSecret((await owner.keep(bytes)).id, member)).toEqual({
        payload: bytes,
        contentType: 'application/octet-stream',
      });
    });

    it('finds a container and the secrets in it', async () => {
      const certificate = await owner.keep('cert');
      const key = await owner.keep('key');
      const { id } = await owner.contain({ certificate, private_key: key });

      const found = await store.findContainer(id, member);

      expect(found?.type).toBe('certificate');
      const refs = [...(found?.secretRefs ?? [])].map(([name, ref]) => [name, ref.split('/').slice(-2).join('/')]);
      expect(refs.sort()).toEqual([
        ['certificate', `secrets/${certificate.id}`],
        ['private_key', `secrets/${key.id}`],
      ]);
    });

    it('finds nothing where there is nothing, or no payload yet', async () => {
      const { id } = await owner.keep(null);

      expect(await store.findSecret(id, member)).toBeUndefined();
      expect(await store.findSecret(NOWHERE, member)).toBeUndefined();
      expect(await store.findContainer(NOWHERE, 'service')).toBeUndefined();
    });

    it('shows nobody what belongs to another project, not even this service', async () => {
      const secret = await owner.keep('mine');
      const container = await owner.contain({ certificate: secret });

      for (const access of [stranger, 'service'] as const) {
        expect(await store.findSecret(secret.id, access)).toBeUndefined();
        expect(await store.findContainer(container.id, access)).toBeUndefined();
      }
    });

    it('lets this service read what the owner grants, and no longer when that is taken back', async () => {
      const secret = await owner.keep('mine');
      const container = await owner.contain({ certificate: secret });
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
      const secret = await owner.keep('mine');
      await owner.setAcl(secret, { users: ['a-friend'], projectAccess: false });

      await store.grantAccess(secret, member);
      await store.grantAccess(secret, member);
      const granted = await owner.showAcl(secret);
      expect([...granted.users].sort()).toEqual(['a-friend', opened.serviceUserId].sort());
      expect(granted.projectAccess).toBe(false);

      await store.revokeAccess(secret, member);
      await store.revokeAccess(secret, member);
      expect(await owner.showAcl(secret)).toEqual({ users: ['a-friend'], projectAccess: false });
    });

    it('does not let those decide who may not', async () => {
      const secret = await owner.keep('mine');

      expect(await store.grantAccess(secret, stranger)).toBe(false);
      expect(await store.revokeAccess(secret, stranger)).toBe(false);
      expect(await store.grantAccess({ kind: 'secret', id: NOWHERE }, member)).toBe(false);
      expect(await store.revokeAccess({ kind: 'secret', id: NOWHERE }, member)).toBe(true);
      expect(await store.findSecret(secret.id, 'service')).toBeUndefined();
    });

    it('registers each use of a container once, and ends it', async () => {
      const container = await owner.contain({ certificate: await owner.keep('cert') });
      const consumer = { name: 'Octavia', url: 'http://lb.example.org/v2/lbaas/listeners/1' };
      const another = { ...consumer, url: 'http://lb.example.org/v2/lbaas/listeners/2' };
      expect(await store.registerConsumer(container.id, consumer)).toBe(false);
      await store.grantAccess(container, member);

      expect(await store.registerConsumer(container.id, consumer)).toBe(true);
      expect(await store.registerConsumer(container.id, consumer)).toBe(true);
      await store.registerConsumer(container.id, another);
      expect(await owner.listConsumers(container)).toHaveLength(2);

      await store.unregisterConsumer(container.id, consumer);
      await store.unregisterConsumer(container.id, consumer);
      expect(await owner.listConsumers(container)).toEqual([another]);
    });
  });
}
