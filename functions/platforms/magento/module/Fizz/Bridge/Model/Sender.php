<?php

declare(strict_types=1);

namespace Fizz\Bridge\Model;

use Magento\Framework\HTTP\Client\CurlFactory;

/**
 * Posts one note: a thin body, its time and the HMAC of both.
 */
class Sender
{
    private const SECONDS = 10;

    public function __construct(
        private Settings $settings,
        private CurlFactory $curlFactory
    ) {
    }

    /**
     * @param array<string, mixed> $note a row of the outbox
     * @return bool whether the bridge has taken it
     */
    public function send(array $note): bool
    {
        $body = json_encode([
            'event' => $note['event'],
            'entity_id' => (int)$note['entity_id'],
            'increment_id' => $note['increment_id'],
            'updated_at' => $note['updated_at'],
            'occurred_at' => gmdate('Y-m-d\TH:i:s\Z', (int)$note['occurred_at']),
            'delivery_id' => $note['delivery_id'],
        ], JSON_THROW_ON_ERROR);
        // The time of this try, not of the note: the bridge takes what is five minutes old at most.
        $now = (string)time();
        $proof = hash_hmac('sha256', $now . '.' . $body, $this->settings->secret());

        $curl = $this->curlFactory->create();
        $curl->setTimeout(self::SECONDS);
        $curl->setHeaders([
            'Content-Type' => 'application/json',
            'X-Fizz-Timestamp' => $now,
            'X-Fizz-Signature' => 'v1=' . $proof,
        ]);
        $curl->post($this->settings->address(), $body);

        return $curl->getStatus() >= 200 && $curl->getStatus() < 300;
    }
}
