import { aBarbican, listen } from '../support/simulators/barbican';
import { ownerInside } from '../support/simulators/keyOwner';
import { openSecretSite } from '../support/simulators/secretSite';
import { describeSecretStore, type SecretSite } from './certificatesSuite';

async function openMemory(): Promise<SecretSite> {
  const site = await aBarbican();
  const member = await site.caller('member', 'demo');
  return {
    store: site.store,
    owner: ownerInside(site, member),
    member,
    stranger: await site.caller('admin', 'admin'),
    serviceUserId: site.service.identity.userId,
    close: async () => undefined,
  };
}

async function openHttp(): Promise<SecretSite> {
  const site = await aBarbican();
  const server = await listen(site.face);
  const [member, stranger] = [await site.caller('member', 'demo'), await site.caller('admin', 'admin')];
  const opened = openSecretSite(server.url, { member, stranger, service: site.service });
  const close = async (): Promise<void> => {
    await opened.close();
    await server.close();
  };
  return { ...opened, close };
}

describeSecretStore({ name: 'memory', open: openMemory });
describeSecretStore({ name: 'http', open: openHttp });
