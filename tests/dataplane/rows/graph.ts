import { waitUntil } from '../../support/wait';
import { ask } from '../clients/web';
import type { Row } from '../row';

/** Load balancers created as a whole. */
export const graphRows: readonly Row[] = [
  {
    proves: [
      'POST loadbalancer.listeners',
      'POST loadbalancer.pools',
      'GRAPH loadbalancer.listeners',
      'GRAPH loadbalancer.pools',
      'GRAPH listener.default_pool',
      'GRAPH listener.l7policies',
      'GRAPH pool.session_persistence',
      'GRAPH pool.healthmonitor',
      'GRAPH pool.members',
      'GRAPH l7policy.redirect_pool',
      'GRAPH l7policy.rules',
    ],
    title: 'one request brings listeners, pools, policies, members and monitors that all work',
    async run(stage) {
      const ill = new Map([['/check', 500]]);
      const [one, two] = [await stage.web('one'), await stage.web('two')];
      const [three, sick] = [await stage.web('three'), await stage.web('sick', { statuses: ill })];
      const memberOf = ({ address, port }: typeof one) => ({ address, protocol_port: port });
      const check = { type: 'HTTP', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1, url_path: '/check' };
      const loadBalancer = await stage.loadBalancer({
        listeners: [
          {
            ...{ name: 'web', protocol: 'HTTP', protocol_port: 8080, default_pool: { name: 'main' } },
            l7policies: [
              {
                action: 'REDIRECT_TO_POOL',
                redirect_pool: {
                  ...{ name: 'images', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', members: [memberOf(three)] },
                },
                rules: [{ type: 'PATH', compare_type: 'STARTS_WITH', value: '/images' }],
              },
            ],
          },
          { protocol: 'HTTP', protocol_port: 8081, default_pool: { name: 'main' } },
        ],
        pools: [
          {
            ...{ name: 'main', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
            session_persistence: { type: 'APP_COOKIE', cookie_name: 'SESSION' },
            members: [memberOf(one), memberOf(two), memberOf(sick)],
            healthmonitor: check as never,
          },
        ],
      });
      await stage.active(loadBalancer);
      const { host } = loadBalancer;
      const ask8080 = (path: string, cookie = '') => ask({ host, port: 8080, path, headers: { cookie } });
      expect((await ask8080('/images/a.png')).arrival().backend).toBe('three');
      await waitUntil('the two well members serve', 10_000, async () => {
        const seen = [await ask8080('/'), await ask8080('/'), await ask8080('/'), await ask8080('/')];
        return new Set(seen.map(({ text }) => text.match(/"backend":"(\w+)"/)?.[1])).size === 2;
      });
      const first = (await ask8080('/?cookie=SESSION=1')).arrival().backend;
      for (let turn = 0; turn < 4; turn += 1) {
        expect((await ask8080('/', 'SESSION=1')).arrival().backend).toBe(first);
      }
      expect(['one', 'two']).toContain((await ask({ host, port: 8081 })).arrival().backend);
    },
  },
];
