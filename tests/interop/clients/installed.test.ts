import { describeCommands } from './everyCommand';
import { installedPython } from './installations';
import { tellOfL7 } from './stories/l7';
import { tellOfQuotas } from './stories/quotas';

/** What tests/scenarios does not tell; `npm run test:clients` tells everything. */
describeCommands('the installed openstack client', { python: installedPython, vipNetwork: '127.72.0' }, (client) => {
  tellOfL7(client);
  tellOfQuotas(client);
});
