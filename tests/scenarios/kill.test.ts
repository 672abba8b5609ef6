import { type ApiClient, logIn } from '../support/apiClient';
import { type Site, startSite } from '../support/site';
import { waitUntil } from '../support/wait';

const CREATES = 200;

describe('kill -9 of the whole site', () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite({ vipCidr: '127.82.0.0/16' });
  }, 90_000);

  afterAll(async () => {
    await site.dispose();
  }, 60_000);

  it('in the middle of 200 creates loses none and leaves none in PENDING', async () => {
    const client = await logIn(site);
    const answered: string[] = [];
    const creates = Array.from({ length: CREATES }, (_, index) => createOne(client, index, answered));
    await waitUntil('half of the creates are answered', 30_000, () => answered.length >= CREATES / 2);
    await site.kill();
    const refused = (await Promise.all(creates)).filter((ok) => !ok).length;
    expect(answered.length + refused).toBe(CREATES);
    expect(refused).toBeGreaterThan(0);

    await site.start();
    const again = await logIn(site);
    const list = async (): Promise<{ id: string; provisioning_status: string; vip_address: string }[]> =>
      (await again.request('GET', '/loadbalancers')).body.loadbalancers;
    await waitUntil('none is pending', 60_000, async () => {
      return (await list()).every((lb) => !lb.provisioning_status.startsWith('PENDING_'));
    });

    const all = await list();
    const byId = new Map(all.map((lb) => [lb.id, lb]));
    expect(answered.filter((id) => byId.get(id)?.provisioning_status !== 'ACTIVE')).toEqual([]);
    expect(all.filter((lb) => lb.provisioning_status !== 'ACTIVE')).toEqual([]);
    expect(new Set(all.map((lb) => lb.vip_address)).size).toBe(all.length);
  }, 180_000);
});

async function createOne(client: ApiClient, index: number, answered: string[]): Promise<boolean> {
  try {
    const { body, status } = await client.request('POST', '/loadbalancers', {
      loadbalancer: {
        name: `lb-${index}`,
        vip_subnet_id: client.subnetId,
        listeners: [{ name: 'http', protocol: 'HTTP', protocol_port: 8080 }],
      },
    });
    if (status !== 201) return false;
    answered.push(body.loadbalancer.id);
    return true;
  } catch {
    return false;
  }
}
