import type { Client } from '../commands';

/** Who may see and change what, at the command line. */
export function tellOfRoles(client: () => Client): void {
  describe('roles', () => {
    const denied = 'Policy does not allow this request to be performed. (HTTP 403)';

    it('shows a reader the project, and lets them change nothing', async () => {
      const [member, reader] = [client().as('member'), client().as('reader')];
      const created = await member.show('loadbalancer create --name ours --vip-subnet-id local');
      expect(await reader.list('loadbalancer list')).toEqual([expect.objectContaining({ id: created['id'] })]);
      expect(await reader.refused('loadbalancer create --name theirs --vip-subnet-id local')).toBe(denied);
      expect(await reader.refused('loadbalancer set --name theirs ours')).toBe(denied);
      expect(await reader.refused('loadbalancer delete ours')).toBe(denied);
      expect(
        await reader.refused('loadbalancer pool create --loadbalancer ours --protocol TCP --lb-algorithm SOURCE_IP'),
      ).toBe(denied);
    });

    it('shows an operator every project, and a member their own', async () => {
      const [admin, member] = [client().as('admin'), client().as('member')];
      await admin.ok('loadbalancer create --name operators --vip-subnet-id local');
      const names = (rows: Record<string, unknown>[]) => rows.map(({ name }) => name).sort();
      expect(names(await admin.list('loadbalancer list'))).toEqual(['operators', 'ours']);
      expect(names(await admin.list('loadbalancer list --project demo'))).toEqual(['ours']);
      expect(names(await member.list('loadbalancer list'))).toEqual(['ours']);
      expect(await member.refused('loadbalancer show operators')).toBe('Unable to locate operators in loadbalancers');
      await admin.ok('loadbalancer delete operators');
      await admin.ok('loadbalancer delete ours');
      await admin.untilListed('loadbalancer list', 0);
    });
  });
}
