import type { Client, Commands } from '../commands';
import { columnsOf, LIST_COLUMNS, UUID } from './columns';

/** The places load balancers run in, in the form operators know as amphorae. */
export function tellOfAmphorae(client: () => Client): void {
  describe('amphorae', () => {
    let admin: Commands;
    let loadBalancer: string;
    let amphora: string;
    beforeAll(async () => {
      admin = client().as('admin');
      const created = await admin.show('loadbalancer create --name placed --vip-subnet-id local --wait');
      loadBalancer = String(created['id']);
    });
    afterAll(() => admin.ok('loadbalancer delete --cascade --wait placed'));

    it('lists and shows where a load balancer runs', async () => {
      const rows = await admin.list(`loadbalancer amphora list --loadbalancer ${loadBalancer}`);
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.amphora);
      expect(rows).toEqual([
        expect.objectContaining({ loadbalancer_id: loadBalancer, status: 'ALLOCATED', role: 'STANDALONE' }),
      ]);
      amphora = String(rows[0]?.['id']);
      const shown = await admin.show(`loadbalancer amphora show ${amphora}`);
      const { vip_address } = await admin.show('loadbalancer show placed');
      expect(shown).toMatchObject({ id: amphora, ha_ip: vip_address, compute_id: expect.stringMatching(UUID) });
      expect(await admin.list('loadbalancer amphora list --role MASTER')).toEqual([]);
      expect(await admin.list('loadbalancer amphora list --status ALLOCATED')).toEqual(rows);
    });

    it('shows its counters', async () => {
      await admin.ok('loadbalancer listener create --name counted --protocol HTTP --protocol-port 8080 --wait placed');
      // There are none before the engine's first report.
      const stats = await admin.once(`loadbalancer amphora stats show ${amphora}`);
      expect(stats).toMatchObject({ total_connections: 0, bytes_in: 0 });
    });

    it('configures it anew and moves it', async () => {
      await admin.ok(`loadbalancer amphora configure ${amphora}`);
      await admin.ok(`loadbalancer amphora failover ${amphora}`);
      expect(await admin.active('loadbalancer show placed')).toMatchObject({ id: loadBalancer });
      await admin.untilListed(`loadbalancer amphora list --loadbalancer ${loadBalancer}`, 1);
    });

    it('deletes none that serves', async () => {
      const [row] = await admin.list(`loadbalancer amphora list --loadbalancer ${loadBalancer}`);
      expect(await admin.refused(`loadbalancer amphora delete ${row?.['id']}`)).toBe(
        `amphora ${row?.['id']} is immutable and cannot be updated. (HTTP 409)`,
      );
    });

    it('knows no others, and is for operators alone', async () => {
      const unknown = '00000000-1111-4222-8333-444444444444';
      expect(await admin.refused(`loadbalancer amphora show ${unknown}`)).toMatch(unknown);
      // The client looks for a name, which amphorae do not have.
      expect(await admin.refused(`loadbalancer amphora failover ${unknown}`)).toBe(
        'One or more arguments are either duplicate or invalid (HTTP 400)',
      );
      expect(await client().as('member').refused('loadbalancer amphora list')).toBe(
        'Policy does not allow this request to be performed. (HTTP 403)',
      );
    });
  });
}
