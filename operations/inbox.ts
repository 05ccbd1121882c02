/** `npm run inbox -- …`: messages that notification-service could not handle, and its dead-letter queue. */
import { runProcess } from '@product-events/terminal'
import { notificationInbox } from './inbox/notification-inbox.ts'

await runProcess('npm run inbox --', (terminal) => notificationInbox('npm run inbox --', terminal))
