import { ask } from '../clients/web';
import { addPolicy, startsWith } from '../policies';
import type { Row } from '../row';
import type { Served } from '../stage';

const CODES = [301, 302, 303, 307, 308] as const;

const answered = async (served: Served, path: string) => {
  const { status, headers } = await ask({ ...served, path });
  return [status, headers.location];
};

/** What policies do with requests, and in which order. */
export const l7PolicyRows: readonly Row[] = [
  {
    proves: ['POST l7policy.action', 'l7policy.action=REJECT', 'POST l7policy.listener_id'],
    title: 'REJECT turns away what matches, on its own listener',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ members: [{ backend: one }] });
      await stage.create('listeners', 'listener', {
        ...{ loadbalancer_id: served.loadBalancer.id, protocol: 'HTTP', protocol_port: 8081 },
        default_pool_id: served.poolId,
      });
      await addPolicy(stage, served, { action: 'REJECT', rules: [startsWith('/secret')] });
      expect((await ask({ ...served, path: '/secret/a' })).status).toBe(403);
      expect((await ask({ ...served, path: '/public' })).status).toBe(200);
      expect((await ask({ ...served, port: 8081, path: '/secret/a' })).status).toBe(200);
    },
  },
  {
    proves: [
      'l7policy.action=REDIRECT_TO_URL',
      'POST l7policy.redirect_url',
      'PUT l7policy.redirect_url',
      'POST l7policy.redirect_http_code',
      'PUT l7policy.redirect_http_code',
      ...CODES.map((code) => `l7policy.redirect_http_code=${code}` as const),
    ],
    title: 'REDIRECT_TO_URL sends clients to the URL, with the code that is said',
    async run(stage) {
      const served = await stage.serve({ pool: null });
      const { policy } = await addPolicy(stage, served, {
        ...{ action: 'REDIRECT_TO_URL', redirect_url: 'https://first.example/a?b=%20c', redirect_http_code: 307 },
        rules: [startsWith('/old')],
      });
      expect(await answered(served, '/old/x')).toEqual([307, 'https://first.example/a?b=%20c']);
      const path = `l7policies/${policy}`;
      await stage.update(served, path, { l7policy: { redirect_url: 'http://second.example/' } });
      for (const redirect_http_code of CODES) {
        await stage.update(served, path, { l7policy: { redirect_http_code } });
        expect(await answered(served, '/old/x')).toEqual([redirect_http_code, 'http://second.example/']);
      }
    },
  },
  {
    proves: ['l7policy.action=REDIRECT_PREFIX', 'POST l7policy.redirect_prefix', 'PUT l7policy.redirect_prefix'],
    title: 'REDIRECT_PREFIX puts the prefix before what was asked for',
    async run(stage) {
      const served = await stage.serve({ pool: null });
      const { policy } = await addPolicy(stage, served, {
        ...{ action: 'REDIRECT_PREFIX', redirect_prefix: 'https://first.example:8443' },
        rules: [startsWith('/')],
      });
      expect(await answered(served, '/a/b?c=d')).toEqual([302, 'https://first.example:8443/a/b?c=d']);
      await stage.update(served, `l7policies/${policy}`, { l7policy: { redirect_prefix: 'https://second.example/x' } });
      expect(await answered(served, '/a')).toEqual([302, 'https://second.example/x/a']);
    },
  },
  {
    proves: ['l7policy.action=REDIRECT_TO_POOL', 'POST l7policy.redirect_pool_id', 'PUT l7policy.redirect_pool_id'],
    title: 'REDIRECT_TO_POOL lets another pool answer',
    async run(stage) {
      const [one, two, three] = [await stage.web('one'), await stage.web('two'), await stage.web('three')];
      const served = await stage.serve({ members: [{ backend: one }] });
      const poolWith = async ({ address, port }: typeof one) => {
        const { id } = await stage.create('pools', 'pool', {
          ...{ loadbalancer_id: served.loadBalancer.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
        });
        await stage.create(`pools/${id}/members`, 'member', { address, protocol_port: port });
        return id;
      };
      const { policy } = await addPolicy(stage, served, {
        ...{ action: 'REDIRECT_TO_POOL', redirect_pool_id: await poolWith(two) },
        rules: [startsWith('/images')],
      });
      expect((await ask({ ...served, path: '/images/a' })).arrival().backend).toBe('two');
      expect((await ask({ ...served, path: '/' })).arrival().backend).toBe('one');
      const body = { l7policy: { redirect_pool_id: await poolWith(three) } };
      await stage.active(served.loadBalancer);
      await stage.update(served, `l7policies/${policy}`, body);
      expect((await ask({ ...served, path: '/images/a' })).arrival().backend).toBe('three');
    },
  },
  {
    proves: ['PUT l7policy.action'],
    title: 'a policy does what its action says after a change',
    async run(stage) {
      const served = await stage.serve({ pool: null });
      const { policy } = await addPolicy(stage, served, { action: 'REJECT', rules: [startsWith('/x')] });
      expect(await answered(served, '/x')).toEqual([403, undefined]);
      await stage.update(served, `l7policies/${policy}`, {
        l7policy: { action: 'REDIRECT_TO_URL', redirect_url: 'http://there.example/' },
      });
      expect(await answered(served, '/x')).toEqual([302, 'http://there.example/']);
      await stage.update(served, `l7policies/${policy}`, { l7policy: { action: 'REJECT' } });
      expect(await answered(served, '/x')).toEqual([403, undefined]);
    },
  },
  {
    proves: ['POST l7policy.position', 'PUT l7policy.position'],
    title: 'of policies that match, the one at the lower position decides',
    async run(stage) {
      const served = await stage.serve({ pool: null });
      const to = (name: string, position: number) =>
        addPolicy(stage, served, {
          ...{ action: 'REDIRECT_TO_URL', redirect_url: `http://${name}.example/`, position },
          rules: [startsWith('/')],
        });
      await to('first', 1);
      const { policy } = await to('second', 2);
      expect(await answered(served, '/')).toEqual([302, 'http://first.example/']);
      await to('third', 1);
      expect(await answered(served, '/')).toEqual([302, 'http://third.example/']);
      await stage.update(served, `l7policies/${policy}`, { l7policy: { position: 1 } });
      expect(await answered(served, '/')).toEqual([302, 'http://second.example/']);
    },
  },
  {
    proves: ['POST l7policy.admin_state_up', 'PUT l7policy.admin_state_up', 'DELETE l7policy'],
    title: 'a disabled policy does nothing, until it is enabled, and a deleted one nothing any more',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({ members: [{ backend: one }] });
      const { policy } = await addPolicy(stage, served, {
        ...{ action: 'REJECT', admin_state_up: false },
        rules: [startsWith('/')],
      });
      const path = `l7policies/${policy}`;
      expect((await ask(served)).status).toBe(200);
      await stage.update(served, path, { l7policy: { admin_state_up: true } });
      expect((await ask(served)).status).toBe(403);
      await stage.update(served, path, { l7policy: { admin_state_up: false } });
      expect((await ask(served)).status).toBe(200);
      await stage.update(served, path, { l7policy: { admin_state_up: true } });
      expect((await ask(served)).status).toBe(403);
      await stage.remove(served, path);
      expect((await ask(served)).status).toBe(200);
    },
  },
];
