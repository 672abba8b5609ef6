import { describeRows } from './describeRows';
import { TABLE } from './table';

describeRows('health monitors', TABLE.monitor, { vipCidr: '127.113.0.0/24' });
