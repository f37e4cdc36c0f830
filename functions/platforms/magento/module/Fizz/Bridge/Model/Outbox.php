<?php

declare(strict_types=1);

namespace Fizz\Bridge\Model;

use Magento\Framework\App\ResourceConnection;
use Magento\Framework\DB\Adapter\AdapterInterface;

/**
 * Notes of what happened, until the bridge has taken them.
 *
 * Notes are only ever added here and never changed by whoever saves: saving must not wait for a lock.
 */
class Outbox
{
    private const TABLE = 'fizz_bridge_outbox';

    public function __construct(private ResourceConnection $resource)
    {
    }

    public function add(string $event, int $entityId, ?string $incrementId, ?string $updatedAt): void
    {
        $now = time();
        $this->connection()->insert($this->table(), [
            // Stays the same on every try, so that repetitions can be told.
            'delivery_id' => bin2hex(random_bytes(16)),
            'event' => $event,
            'entity_id' => $entityId,
            'increment_id' => $incrementId,
            'updated_at' => $updatedAt,
            'occurred_at' => $now,
            'next_at' => $now,
        ]);
    }

    /**
     * @return array<int, array<string, mixed>> the oldest notes whose time has come
     */
    public function due(int $limit): array
    {
        $select = $this->connection()->select()
            ->from($this->table())
            ->where('next_at <= ?', time())
            ->order('outbox_id ASC')
            ->limit($limit);

        return $this->connection()->fetchAll($select);
    }

    /**
     * @param int[] $ids
     */
    public function remove(array $ids): void
    {
        if ($ids) {
            $this->connection()->delete($this->table(), ['outbox_id IN (?)' => $ids]);
        }
    }

    public function later(int $id, int $attempts, int $nextAt): void
    {
        $this->connection()->update(
            $this->table(),
            ['attempts' => $attempts, 'next_at' => $nextAt],
            ['outbox_id = ?' => $id]
        );
    }

    private function connection(): AdapterInterface
    {
        return $this->resource->getConnection();
    }

    private function table(): string
    {
        return $this->resource->getTableName(self::TABLE);
    }
}
