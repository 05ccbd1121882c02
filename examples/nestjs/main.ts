/** A shop on NestJS with the outbox as a module. */
import 'reflect-metadata'
import { SQSClient } from '@aws-sdk/client-sqs'
import { Body, ConflictException, Controller, Inject, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Outbox } from '@product-events/outbox'
import { sendToSqs } from '@product-events/outbox/sqs'
import pg from 'pg'
import { readShopConfig } from './config.js'
import { OUTBOX, OutboxModule, OutboxRelay } from './outbox.module.js'

const { databaseUrl, queueUrl, port } = readShopConfig(process.env)
const pool = new pg.Pool({ connectionString: databaseUrl })
pool.on('error', (error) => console.warn(`An idle connection was lost: ${error.message}`))
await pool.query('CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, amount integer NOT NULL)')
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false, maxAttempts: 1 })

@Controller('orders')
class OrdersController {
  constructor(
    @Inject(OUTBOX) private readonly outbox: Outbox<Record<string, unknown>>,
    @Inject(OutboxRelay) private readonly relay: OutboxRelay,
  ) {}

  @Post()
  async place(@Body() { id, amount }: { id: string; amount: number }): Promise<void> {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      await client.query('INSERT INTO orders (id, amount) VALUES ($1, $2)', [id, amount])
      await this.outbox.append(client, [{ key: id, type: 'order.placed', payload: { id, amount } }])
      await client.query('COMMIT')
    } catch (error) {
      await client.query('ROLLBACK')
      throw new ConflictException((error as Error).message)
    } finally {
      client.release()
    }
    this.relay.nudge()
  }
}

@Module({
  imports: [OutboxModule.forRoot({ owner: 'shop', pool, send: sendToSqs({ sqs, queueUrl }) })],
  controllers: [OrdersController],
})
class ShopModule {}

const app = await NestFactory.create(ShopModule, { logger: ['error', 'warn'] })
await app.listen(port)
console.log('shop is ready')
process.on('SIGTERM', () => void app.close().then(() => pool.end()))
