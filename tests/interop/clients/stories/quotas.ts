import type { Client, Commands } from '../commands';
import { columnsOf, LIST_COLUMNS } from './columns';

const UNLIMITED = {
  load_balancer: -1,
  listener: -1,
  pool: -1,
  health_monitor: -1,
  member: -1,
  l7policy: -1,
  l7rule: -1,
};

/** Limits of a project, set by an operator and met by its users. */
export function tellOfQuotas(client: () => Client): void {
  describe('quotas', () => {
    let admin: Commands;
    let member: Commands;
    beforeAll(() => {
      admin = client().as('admin');
      member = client().as('member');
    });

    it('shows defaults, and those of a project that has none of its own', async () => {
      expect(await admin.show('loadbalancer quota defaults show')).toEqual(UNLIMITED);
      expect(await admin.show('loadbalancer quota show service')).toMatchObject(UNLIMITED);
    });

    it('sets every limit, shows and lists them', async () => {
      const limits = { load_balancer: 1, listener: 2, pool: 3, health_monitor: 4, member: 5, l7policy: 6, l7rule: 7 };
      const options =
        '--loadbalancer 1 --listener 2 --pool 3 --healthmonitor 4 --member 5 --l7policy 6 --l7rule 7'.concat(' demo');
      expect(await admin.show(`loadbalancer quota set ${options}`)).toMatchObject(limits);
      expect(await admin.show('loadbalancer quota show demo')).toMatchObject(limits);
      const rows = await admin.list('loadbalancer quota list');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.quota);
      expect(rows).toContainEqual(expect.objectContaining(limits));
    });

    it('refuses what is over the limit', async () => {
      await member.ok('loadbalancer create --name allowed --vip-subnet-id local');
      expect(await member.refused('loadbalancer create --name refused --vip-subnet-id local')).toBe(
        'Quota has been met for resources: Load Balancer (HTTP 403)',
      );
      await member.ok('loadbalancer delete --wait allowed');
      await member.ok('loadbalancer create --name again --vip-subnet-id local');
      await member.ok('loadbalancer delete --wait again');
    });

    it('takes single limits back, and all of them', async () => {
      await admin.ok('loadbalancer quota unset --loadbalancer --l7rule demo');
      expect(await admin.show('loadbalancer quota show demo')).toMatchObject({
        load_balancer: -1,
        pool: 3,
        l7rule: -1,
      });
      await admin.ok('loadbalancer quota reset demo');
      expect(await admin.show('loadbalancer quota show demo')).toMatchObject(UNLIMITED);
    });

    it('lets nobody else change them', async () => {
      const denied = 'Policy does not allow this request to be performed. (HTTP 403)';
      expect(await member.refused('loadbalancer quota set --pool 9 demo')).toBe(denied);
      expect(await member.refused('loadbalancer quota defaults show')).toBe(denied);
    });
  });
}
