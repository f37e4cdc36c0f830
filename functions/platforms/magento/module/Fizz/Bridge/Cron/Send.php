<?php

declare(strict_types=1);

namespace Fizz\Bridge\Cron;

use Fizz\Bridge\Model\Outbox;
use Fizz\Bridge\Model\Sender;
use Fizz\Bridge\Model\Settings;
use Psr\Log\LoggerInterface;

/**
 * Sends what is due, once a minute.
 */
class Send
{
    private const NOTES = 500;
    private const SECONDS = 45;
    private const FAILURES = 3;
    private const LONGEST_WAIT = 3600;
    private const LIFE = 72 * 3600;

    public function __construct(
        private Outbox $outbox,
        private Sender $sender,
        private Settings $settings,
        private LoggerInterface $logger
    ) {
    }

    public function execute(): void
    {
        if (!$this->settings->isEnabled()) {
            return;
        }
        if (!str_starts_with($this->settings->address(), 'https://') || $this->settings->secret() === '') {
            $this->logger->error('Fizz_Bridge: no address with https://, or no secret');
            return;
        }
        $end = time() + self::SECONDS;
        $failures = 0;
        foreach ($this->newestOfEach($this->outbox->due(self::NOTES)) as $note) {
            // A bridge that does not answer is left alone until the next minute.
            if (time() >= $end || $failures >= self::FAILURES) {
                return;
            }
            if ($this->isTaken($note)) {
                $this->outbox->remove([(int)$note['outbox_id']]);
                continue;
            }
            $failures++;
            $this->putOff($note);
        }
    }

    /**
     * One user action saves several times: the bridge reads the entity anyway, so one note will do.
     *
     * @param array<int, array<string, mixed>> $notes
     * @return array<int, array<string, mixed>>
     */
    private function newestOfEach(array $notes): array
    {
        $kept = [];
        $older = [];
        foreach ($notes as $note) {
            $key = $note['event'] . '/' . $note['entity_id'];
            if (isset($kept[$key])) {
                $older[] = (int)$kept[$key]['outbox_id'];
            }
            $kept[$key] = $note;
        }
        $this->outbox->remove($older);

        return array_values($kept);
    }

    /**
     * @param array<string, mixed> $note
     */
    private function isTaken(array $note): bool
    {
        try {
            return $this->sender->send($note);
        } catch (\Throwable $error) {
            $this->logger->warning('Fizz_Bridge: not sent', ['exception' => $error]);
            return false;
        }
    }

    /**
     * Waits 1, 2, 4 ... minutes, an hour at most, and gives up after 72 hours.
     *
     * @param array<string, mixed> $note
     */
    private function putOff(array $note): void
    {
        if (time() - (int)$note['occurred_at'] > self::LIFE) {
            $this->outbox->remove([(int)$note['outbox_id']]);
            $this->logger->error(
                'Fizz_Bridge: given up after 72 hours',
                ['event' => $note['event'], 'entity_id' => $note['entity_id']]
            );
            return;
        }
        $attempts = (int)$note['attempts'] + 1;
        $wait = (int)min(60 * 2 ** min($attempts - 1, 10), self::LONGEST_WAIT);
        $this->outbox->later((int)$note['outbox_id'], $attempts, time() + $wait);
    }
}
