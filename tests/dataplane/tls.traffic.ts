import { describeRows } from './describeRows';
import { tlsClientRows } from './rows/tlsClients';
import { tlsListenerRows } from './rows/tlsListener';
import { tlsPoolRows } from './rows/tlsPool';
import { WITH_OLD_TLS } from './terminated';

describeRows('TLS', [...tlsListenerRows, ...tlsClientRows, ...tlsPoolRows], {
  vipCidr: '127.117.0.0/24',
  options: WITH_OLD_TLS,
});
