import { describeRows } from './describeRows';
import { TABLE } from './table';
import { WITH_OLD_TLS } from './terminated';

describeRows('TLS', TABLE.tls, { vipCidr: '127.117.0.0/24', options: WITH_OLD_TLS });
