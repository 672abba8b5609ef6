import { type EmbeddedNetwork, openEmbeddedNetwork } from '../../../driver/clouds/network/memory';
import type { NetworkModelDeps } from '../../../driver/clouds/network/model/model';
import { seedNetworks } from '../../../driver/clouds/network/seed';
import { createMemoryStore } from '../../../driver/clouds/network/store';

/** An embedded Neutron with the networks `local` and `public`, owned by the project. */
export async function aNetworkCloud(projectId: string, deps: Partial<NetworkModelDeps> = {}): Promise<EmbeddedNetwork> {
  const cloud = await openEmbeddedNetwork({ store: createMemoryStore(), ...deps });
  await seedNetworks(cloud.model, { projectId });
  return cloud;
}
