"""What runs on the image beside the assistant: the screen, the hotspot, updates. Programs of their own, none needed.

They and the assistant know each other only by datagrams (appliance/neighbours.py).
"""
