import { type Client, type Commands, idsOf, wordsOf } from '../commands';
import { columnsOf, LIST_COLUMNS, TIME, UUID } from './columns';

/**
 * The load balancer itself, as a member of a project; failover is the operator's. The steps build on each other.
 * @param vip an address of the site's network that is free
 */
export function tellOfLoadBalancers(client: () => Client, vip: string): void {
  describe('load balancers', () => {
    let member: Commands;
    beforeAll(() => {
      member = client().as('member');
    });

    it('creates one with every option and shows what was given', async () => {
      const created = await member.show(
        `loadbalancer create --name first --description text --vip-subnet-id local --vip-address ${vip} --provider octavia --tag blue --tag red --disable`,
      );
      expect(created).toMatchObject({
        name: 'first',
        description: 'text',
        vip_address: vip,
        provider: 'octavia',
        admin_state_up: false,
        operating_status: 'OFFLINE',
        provisioning_status: 'PENDING_CREATE',
        flavor_id: null,
        updated_at: null,
      });
      expect(created).toMatchObject({ id: expect.stringMatching(UUID), created_at: expect.stringMatching(TIME) });
      expect(wordsOf(created['tags'])).toEqual(['blue', 'red']);
      expect(await member.active('loadbalancer show first')).toMatchObject({
        id: created['id'],
        vip_port_id: created['vip_port_id'],
        vip_subnet_id: created['vip_subnet_id'],
      });
    });

    it('waits for the end of a creation, and for that of a deletion', async () => {
      const created = await member.show('loadbalancer create --name second --vip-network-id local --wait');
      expect(created).toMatchObject({ provisioning_status: 'ACTIVE', operating_status: 'ONLINE' });
      await member.ok('loadbalancer delete --wait second');
      expect(await member.refused('loadbalancer show second')).toBe('Unable to locate second in loadbalancers');
    });

    it('lists them by what they have', async () => {
      const rows = await member.list('loadbalancer list');
      expect(columnsOf(rows)).toEqual(LIST_COLUMNS.loadbalancer);
      expect(rows.map(({ name }) => name)).toEqual(['first']);
      const first = await member.show('loadbalancer show first');

      const finding = ['--name first', '--disable', '--provider octavia', '--provisioning-status ACTIVE'];
      const more = ['--operating-status OFFLINE', '--tags blue,red', '--any-tags red,green', '--vip-subnet-id local'];
      for (const filter of [...finding, ...more, `--vip-port-id ${first['vip_port_id']}`]) {
        expect([filter, await member.list(`loadbalancer list ${filter}`)]).toEqual([filter, rows]);
      }
      for (const filter of [
        '--name second',
        '--enable',
        '--provider amphora',
        '--not-tags blue',
        '--tags blue,green',
      ]) {
        expect([filter, await member.list(`loadbalancer list ${filter}`)]).toEqual([filter, []]);
      }
    });

    it('prints a table when nobody asks for JSON', async () => {
      const lines = (await member.ok('loadbalancer list -c name -c vip_address')).trimEnd().split('\n');
      expect(lines).toEqual([
        '+-------+--------------+',
        '| name  | vip_address  |',
        '+-------+--------------+',
        `| first | ${vip} |`,
        '+-------+--------------+',
      ]);
    });

    it('changes it, and takes the changes back', async () => {
      await member.ok('loadbalancer set --name renamed --description other --enable --tag green first');
      const changed = await member.active('loadbalancer show renamed');
      expect(changed).toMatchObject({ description: 'other', admin_state_up: true });
      expect(changed['updated_at']).toMatch(TIME);
      expect(wordsOf(changed['tags'])).toEqual(['blue', 'green', 'red']);

      await member.ok('loadbalancer unset --description --tag blue renamed');
      expect(wordsOf((await member.active('loadbalancer show renamed'))['tags'])).toEqual(['green', 'red']);
      await member.ok('loadbalancer unset --name --all-tag renamed');
      expect(await member.active(`loadbalancer show ${changed['id']}`)).toMatchObject({ name: '', description: '' });
      await member.ok(`loadbalancer set --name first --no-tag --tag one ${changed['id']}`);
      expect(wordsOf((await member.active('loadbalancer show first'))['tags'])).toEqual(['one']);
    });

    it('shows counters and the tree', async () => {
      const zero = { active_connections: 0, bytes_in: 0, bytes_out: 0, request_errors: 0, total_connections: 0 };
      expect(await member.show('loadbalancer stats show first')).toEqual(zero);
      const { loadbalancer } = JSON.parse(await member.ok('loadbalancer status show first'));
      expect(Object.keys(loadbalancer)).toEqual(['id', 'name', 'operating_status', 'provisioning_status', 'listeners']);
      expect(loadbalancer).toMatchObject({ name: 'first', provisioning_status: 'ACTIVE', listeners: [] });
    });

    it('fails over for an operator and for nobody else', async () => {
      const admin = client().as('admin');
      expect(await member.refused('loadbalancer failover first')).toBe(
        'Policy does not allow this request to be performed. (HTTP 403)',
      );
      await admin.ok('loadbalancer failover --wait first');
      expect(await member.show('loadbalancer show first')).toMatchObject({ provisioning_status: 'ACTIVE' });
    });

    it('says what is wrong with a request', async () => {
      const refused = (line: string) => member.refused(`loadbalancer ${line}`);
      expect(await refused('show nowhere')).toBe('Unable to locate nowhere in loadbalancers');
      expect(await refused('create --name x --vip-subnet-id local --vip-address 10.1.2.3')).toMatch(/\(HTTP 4\d\d\)$/);
      expect(await refused(`create --name x --vip-subnet-id local --vip-address ${vip}`)).toMatch(/\(HTTP 409\)$/);
      expect(await refused('create --name x --vip-subnet-id local --provider nobody')).toBe(
        "Provider 'nobody' is not enabled. (HTTP 400)",
      );
      expect(await refused('create --name x --vip-subnet-id local --availability-zone nowhere')).toBe(
        'Validation failure: Invalid availability zone. (HTTP 400)',
      );
      const name = 'n'.repeat(256);
      expect(await refused(`create --name ${name} --vip-subnet-id local`)).toMatch(
        /^Invalid input for field\/attribute name\. Value: 'n+'\. Value should have a maximum character requirement of 255 \(HTTP 400\)$/,
      );
      expect(await member.list('loadbalancer list')).toHaveLength(1);
    });

    it('keeps one with children, and deletes it with them', async () => {
      const { id } = await member.show(
        'loadbalancer listener create --name only --protocol TCP --protocol-port 8080 first',
      );
      expect(idsOf((await member.active('loadbalancer show first'))['listeners'])).toEqual([id]);
      expect(await member.refused('loadbalancer delete first')).toMatch(
        /^Validation failure: Cannot delete Load Balancer [0-9a-f-]{36} - it has children \(HTTP 400\)$/,
      );
      await member.ok('loadbalancer delete --cascade first');
      await member.untilListed('loadbalancer list', 0);
      expect(await member.list('loadbalancer listener list')).toEqual([]);
    });
  });
}
