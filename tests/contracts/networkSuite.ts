import { randomUUID } from 'node:crypto';
import type { NetworkDriver, PortRequest } from '../../driver/clouds/network/port';

/** A driver, and where in its cloud a test may make things. */
export interface NetworkSite {
  readonly driver: NetworkDriver;
  /** A network whose one subnet has sixteen bits for hosts; nobody else uses it. */
  readonly networkId: string;
  readonly subnetId: string;
  /** What the addresses of the subnet begin with: `127.80.`. */
  readonly prefix: string;
  /** Whose ports are made. */
  readonly projectId: string;
  /** Ports that are made at a time. */
  readonly many: number;
  /** It counts no revisions (Contrail's Neutron): `revision` is null, and no change is refused because of one. */
  readonly withoutRevisions?: true;
  /** It has its own words for a taken address. */
  readonly ownWords?: true;
  /** Takes away what the test has made, if that would stay. */
  close(): Promise<void>;
}

/** One implementation of the port. */
export interface NetworkTwin {
  readonly name: string;
  readonly open: () => Promise<NetworkSite>;
}

/** What every implementation does. */
export function describeNetworkDriver({ name, open }: NetworkTwin): void {
  describe(`a network driver (${name})`, () => {
    let site: NetworkSite;
    let driver: NetworkDriver;
    beforeEach(async () => {
      site = await open();
      driver = site.driver;
    });
    afterEach(() => site.close());

    const aRequest = (change: Partial<PortRequest> = {}): PortRequest => aPortRequest(site, change);

    it('shows a subnet of a network, and the subnet its network', async () => {
      const subnet = await driver.findSubnet(site.subnetId);
      const network = await driver.findNetwork(subnet?.networkId ?? '');

      expect(subnet).toMatchObject({ id: site.subnetId, ipVersion: 4 });
      expect(network?.subnetIds).toContain(site.subnetId);
      expect(await driver.findSubnet(site.subnetId)).toEqual(subnet);
    });

    it('creates a port as asked and finds it by id and by what it belongs to', async () => {
      const port = await driver.createPort(aRequest());
      await driver.createPort(aRequest({ deviceId: 'lb-2' }));

      expect(port).toMatchObject({
        name: 'octavia-lb-1',
        projectId: site.projectId,
        deviceId: 'lb-1',
        deviceOwner: 'Octavia',
      });
      expect(port.fixedIps).toEqual([
        { subnetId: site.subnetId, ipAddress: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/) },
      ]);
      expect(await driver.findPort(port.id)).toEqual(port);
      expect(await driver.listPorts({ deviceId: 'lb-1' })).toEqual([port]);
      expect(await driver.listPorts({ deviceOwner: 'Octavia', networkId: site.networkId })).toHaveLength(2);
      expect(await driver.listPorts({ deviceOwner: 'compute:nova', networkId: site.networkId })).toEqual([]);
    });

    it('gives the address asked for', async () => {
      const port = await driver.createPort(
        aRequest({ fixedIps: [{ subnetId: site.subnetId, ipAddress: `${site.prefix}7.7` }] }),
      );

      expect(port.fixedIps).toEqual([{ subnetId: site.subnetId, ipAddress: `${site.prefix}7.7` }]);
    });

    it('gives every port an address of its own', async () => {
      const ports = await Promise.all(Array.from({ length: site.many }, () => driver.createPort(aRequest())));

      expect(new Set(ports.map(({ fixedIps }) => fixedIps[0]?.ipAddress)).size).toBe(site.many);
      expect(new Set(ports.map(({ id }) => id)).size).toBe(site.many);
    });

    it('changes what it is told to change and leaves the rest', async () => {
      const port = await driver.createPort(aRequest());

      const changed = await driver.updatePort(port.id, {
        allowedAddressPairs: [{ ipAddress: `${site.prefix}7.7/32` }],
        name: 'new',
      });

      const { allowedAddressPairs, ...rest } = changed;
      // A single address may be shown without its length.
      expect(allowedAddressPairs.map(({ ipAddress }) => ipAddress.replace('/32', ''))).toEqual([`${site.prefix}7.7`]);
      const { allowedAddressPairs: _none, ...before } = port;
      const revision = site.withoutRevisions ? null : expect.any(Number);
      expect(rest).toEqual({ ...before, name: 'new', revision });
      if (!site.withoutRevisions) expect(changed.revision).toBeGreaterThan(port.revision ?? 0);
      expect(await driver.findPort(port.id)).toEqual(changed);
    });

    it('takes a second deletion of a port, and one of an unknown port, as done', async () => {
      const port = await driver.createPort(aRequest());

      await driver.deletePort(port.id);
      await driver.deletePort(port.id);
      await driver.deletePort(randomUUID());

      expect(await driver.listPorts({ deviceId: 'lb-1' })).toEqual([]);
    });
  });
}

/** What those do that know what exists. */
export function describeKnowingNetworkDriver({ name, open }: NetworkTwin): void {
  describe(`a network driver that knows what exists (${name})`, () => {
    let site: NetworkSite;
    let driver: NetworkDriver;
    beforeEach(async () => {
      site = await open();
      driver = site.driver;
    });
    afterEach(() => site.close());

    const aRequest = (change: Partial<PortRequest> = {}): PortRequest => aPortRequest(site, change);

    it('answers undefined or false to look-ups of what is not there', async () => {
      const id = randomUUID();

      expect(driver.acceptsAnything).toBe(false);
      expect(await driver.findNetwork(id)).toBeUndefined();
      expect(await driver.findSubnet(id)).toBeUndefined();
      expect(await driver.findPort(id)).toBeUndefined();
      expect(await driver.hasQosPolicy(id)).toBe(false);
      expect(await driver.hasSecurityGroup(id)).toBe(false);
    });

    it('passes on in the words of Neutron that an address is taken', async () => {
      const wish = aRequest({ fixedIps: [{ subnetId: site.subnetId, ipAddress: `${site.prefix}7.7` }] });
      await driver.createPort(wish);

      await expect(driver.createPort(wish)).rejects.toMatchObject({
        name: 'NeutronError',
        status: 409,
        message: site.ownWords
          ? expect.stringContaining(`${site.prefix}7.7`)
          : `IP address ${site.prefix}7.7 already allocated in subnet ${site.subnetId}`,
      });
    });

    it('refuses an address outside the subnet and an unknown network', async () => {
      const outside = aRequest({ fixedIps: [{ subnetId: site.subnetId, ipAddress: '10.0.0.1' }] });
      const nowhere = aRequest({ networkId: randomUUID(), fixedIps: [] });

      await expect(driver.createPort(outside)).rejects.toMatchObject({ status: 400 });
      await expect(driver.createPort(nowhere)).rejects.toMatchObject({ status: 404 });
    });

    it('counts the free addresses, down with each port and up again with its deletion', async () => {
      const before = await driver.countFreeAddresses(site.subnetId);
      const port = await driver.createPort(aRequest());

      expect(await driver.countFreeAddresses(site.subnetId)).toBe(before - 1);
      await driver.deletePort(port.id);
      expect(await driver.countFreeAddresses(site.subnetId)).toBe(before);
    });

    it("makes a deleted port's address free for whoever asks for it", async () => {
      const wish = aRequest({ fixedIps: [{ subnetId: site.subnetId, ipAddress: `${site.prefix}7.7` }] });
      await driver.deletePort((await driver.createPort(wish)).id);

      await expect(driver.createPort(wish)).resolves.toMatchObject({ fixedIps: [{ ipAddress: `${site.prefix}7.7` }] });
    });

    it('chooses a subnet by itself when none is named', async () => {
      const port = await driver.createPort(aRequest({ fixedIps: [] }));

      expect(port.fixedIps).toEqual([{ subnetId: site.subnetId, ipAddress: expect.stringContaining(site.prefix) }]);
    });

    it('throws NotFoundError for the change of an unknown port', async () => {
      await expect(driver.updatePort(randomUUID(), { name: 'x' })).rejects.toMatchObject({
        name: 'NotFoundError',
        status: 404,
      });
    });

    // Two at the very same moment a real Neutron may both let through.
    it('refuses a change of a port that has changed since it was read, where changes are counted', async () => {
      const port = await driver.createPort(aRequest());
      const change = (ipAddress: string) =>
        driver.updatePort(port.id, { allowedAddressPairs: [{ ipAddress }] }, { ifRevision: port.revision });
      await change(`${site.prefix}7.7`);
      if (site.withoutRevisions) {
        // The one who comes last wins there: whoever changes pairs reads them back.
        await expect(change(`${site.prefix}7.8`)).resolves.toMatchObject({ revision: null });
        return;
      }

      await expect(change(`${site.prefix}7.8`)).rejects.toMatchObject({ status: 412 });

      const { allowedAddressPairs: pairs } = (await driver.findPort(port.id)) ?? {};
      expect(pairs?.map(({ ipAddress }) => ipAddress.replace('/32', ''))).toEqual([`${site.prefix}7.7`]);
    });

    it('gives a port one more address and keeps the one it has', async () => {
      const port = await driver.createPort(aRequest());
      const [have] = port.fixedIps;

      const grown = await driver.updatePort(port.id, { fixedIps: [have ?? {}, { ipAddress: `${site.prefix}7.9` }] });

      expect(grown.fixedIps).toEqual([have, { subnetId: site.subnetId, ipAddress: `${site.prefix}7.9` }]);
    });

    it('makes a security group, adds a rule to it once, finds both, and deletes it when no port has it', async () => {
      const request = { name: 'ours', description: 'mark of ours', projectId: site.projectId, tags: ['slipstream'] };
      const group = await driver.createSecurityGroup(request);
      const rule = {
        direction: 'ingress',
        etherType: 'IPv4',
        protocol: 'tcp',
        portMin: 80,
        portMax: 81,
        remotePrefix: '10.0.0.0/8',
        remoteGroupId: null,
        remoteAddressGroupId: null,
      } as const;
      await driver.addSecurityGroupRule(group.id, rule);
      await driver.addSecurityGroupRule(group.id, rule);
      const port = await driver.createPort(aRequest({ securityGroupIds: [group.id], description: 'mark of ours' }));

      expect(
        (await driver.findSecurityGroup(group.id))?.rules.filter(({ direction }) => direction === 'ingress'),
      ).toEqual([rule]);
      expect(await driver.listSecurityGroups({ description: 'mark of ours' })).toMatchObject([{ id: group.id }]);
      expect(await driver.listSecurityGroups({ name: 'theirs' })).toEqual([]);
      expect(await driver.listPorts({ securityGroupId: group.id })).toMatchObject([{ id: port.id }]);
      expect(await driver.listPorts({ description: 'mark of ours' })).toMatchObject([{ id: port.id }]);
      await expect(driver.deleteSecurityGroup(group.id)).rejects.toMatchObject({ status: 409 });
      await driver.deletePort(port.id);
      await driver.deleteSecurityGroup(group.id);
      await driver.deleteSecurityGroup(group.id);
      expect(await driver.findSecurityGroup(group.id)).toBeUndefined();
    });

    it('puts a port into the default group of its project unless told otherwise', async () => {
      const [port, bare] = await Promise.all([
        driver.createPort(aRequest()),
        driver.createPort(aRequest({ securityGroupIds: [] })),
      ]);

      expect(port.securityGroupIds).toHaveLength(1);
      expect(await driver.hasSecurityGroup(port.securityGroupIds[0] ?? '')).toBe(true);
      expect(bare.securityGroupIds).toEqual([]);
    });
  });
}

function aPortRequest(site: NetworkSite, change: Partial<PortRequest>): PortRequest {
  return {
    name: 'octavia-lb-1',
    projectId: site.projectId,
    networkId: site.networkId,
    fixedIps: [{ subnetId: site.subnetId }],
    deviceId: 'lb-1',
    deviceOwner: 'Octavia',
    adminStateUp: true,
    ...change,
  };
}
