import type { SecurityGroup } from '../clouds/network/port';
import { findFirewall, forgetFirewall, recordFirewall } from '../db/firewalls';
import { findPortBefore } from '../db/takenPorts';
import { isWork } from '../domain/tree';
import { firewallRules } from '../target/firewall';
import { hintEngines, type Run } from './loadBalancerRun';

/**
 * Resolves the user's groups of the VIP to addresses, for the engines to enforce: the network service cannot tell the VIPs
 * on one port of an engine apart. Looked at with every run, so that ports which join or leave a group count from the next
 * audit on.
 */
export async function keepFirewall(run: Run): Promise<void> {
  const { parts, tree } = run;
  const { db, network } = parts;
  if (!parts.plugsVnics || network.acceptsAnything) return;
  const { securityGroupIds } = tree.vip;
  if (securityGroupIds.length === 0) {
    if (await findFirewall(db, tree.id)) await liftFirewall(run);
    return;
  }
  await run.before('firewall: look');
  const found = await Promise.all(securityGroupIds.map((id) => network.findSecurityGroup(id)));
  const groups = found.flatMap((group) => group ?? []);
  const rules = groups.flatMap((group) => group.rules);
  const addresses = await findAddresses(run, groups);
  const isNews = await recordFirewall(
    db,
    tree.id,
    firewallRules(rules, (id) => addresses.get(id) ?? []),
  );
  // An audit hints without news too: the last hint may have been lost, and whoever has been told tells nothing twice.
  if (isNews || !isWork(tree)) await hintServing(run);
}

/** The user has taken all groups off the VIP. They leave its ports too, or nobody could delete them. */
async function liftFirewall(run: Run): Promise<void> {
  const { db, network } = run.parts;
  const { id, vip, additionalVips } = run.tree;
  await run.before('firewall: lift');
  for (const portId of new Set([vip, ...additionalVips].flatMap((it) => it.portId ?? []))) {
    const had = vip.octaviaOwned ? undefined : await findPortBefore(db, portId, id);
    await network.updatePort(portId, { securityGroupIds: had?.securityGroupIds ?? [] });
  }
  await forgetFirewall(db, id);
  await hintServing(run);
}

/** Addresses of the ports that have the groups which rules name, with what those ports may also answer for. */
async function findAddresses(
  { parts: { network } }: Run,
  groups: readonly SecurityGroup[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const named = new Set(groups.flatMap(({ rules }) => rules.flatMap(({ remoteGroupId }) => remoteGroupId ?? [])));
  const found = [...named].map(async (id) => {
    const ports = await network.listPorts({ securityGroupId: id });
    const addresses = ports.flatMap(({ fixedIps, allowedAddressPairs }) =>
      [...fixedIps, ...allowedAddressPairs].map(({ ipAddress }) => ipAddress),
    );
    return [id, addresses] as const;
  });
  return new Map(await Promise.all(found));
}

async function hintServing(run: Run): Promise<void> {
  const serving = run.tree.placements.filter(({ deleting }) => !deleting);
  await hintEngines(
    run,
    serving.map(({ engineId }) => engineId),
  );
}
